// SPDX-License-Identifier: MIT
#include "launcher/files/progress.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "formats/text.h"

namespace vmfs {
namespace {

constexpr auto delay = std::chrono::seconds(1);
constexpr auto interval = std::chrono::milliseconds(200);
constexpr std::size_t bar_width = 30;

std::string bar(std::uint64_t done, std::uint64_t total) {
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_width));
  return fmt::format("[{:=<{}}{:<{}}] {:3.0f}%  ", "", filled, "", bar_width - filled, share * 100);
}

}  // namespace

Progress::Progress(std::uint64_t total)
    : enabled_(::isatty(STDERR_FILENO) != 0), total_(total), next_(start_ + delay) {}

Progress::~Progress() {
  hide();
}

void Progress::add(std::uint64_t bytes, std::uint64_t files) {
  bytes_ += bytes;
  files_ += files;
  if (!enabled_) return;
  const auto now = Clock::now();
  if (now >= next_) draw(now);
}

void Progress::hide() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

void Progress::draw(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  fmt::print(stderr, "\r\033[K{}{} in {} files, {}/s", total_ == 0 ? "" : bar(bytes_, total_),
             human_size(bytes_), files_,
             human_size(static_cast<std::uint64_t>(static_cast<double>(bytes_) / seconds)));
  std::fflush(stderr);
  next_ = now + interval;
  shown_ = true;
}

}  // namespace vmfs
