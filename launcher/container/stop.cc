// SPDX-License-Identifier: MIT
#include "launcher/container/stop.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdint>
#include <string>

#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

constexpr std::chrono::milliseconds between_looks{50};

std::string_view field_of(std::string_view status, std::string_view name) {
  const auto found = status.find(fmt::format("\n{}:\t", name));
  if (found == std::string_view::npos) return {};
  const auto begin = found + name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

std::uint64_t signals_in(std::string_view status, std::string_view name) {
  const std::string_view text = field_of(status, name);
  std::uint64_t set = 0;
  std::from_chars(text.data(), text.data() + text.size(), set, 16);
  return set;
}

}  // namespace

bool awaits_signal(std::string_view status, int signal) {
  // Until it is executed, the process is this program.
  if (status.starts_with("Name:\tvmfs\n") || status.starts_with("Name:\tvmfs-init\n")) return false;
  const std::uint64_t expected = signals_in(status, "SigBlk") | signals_in(status, "SigCgt");
  return (expected >> (signal - 1) & 1) != 0;
}

void Stop::request(Clock::time_point now) {
  deadline_ = deadline_ ? now : now + patience_;
}

int Stop::wait_time(Clock::time_point now) const {
  if (!deadline_) return -1;
  auto rest = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - now);
  if (!sent_) rest = std::min(rest, between_looks);
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(rest.count(), 0, INT_MAX));
}

void Stop::proceed(pid_t process, const Fd& pidfd, Clock::time_point now) {
  if (!deadline_) return;
  if (now >= *deadline_) {
    sys::pidfd_send_signal(pidfd.get(), SIGKILL);
    deadline_ = now + std::chrono::hours(1);
    sent_ = true;
  } else if (!sent_ && awaits_signal(read_text(fmt::format("/proc/{}/status", process)), signal_)) {
    sys::pidfd_send_signal(pidfd.get(), signal_);
    sent_ = true;
  }
}

}  // namespace vmfs
