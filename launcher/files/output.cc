// SPDX-License-Identifier: MIT
#include "launcher/files/output.h"

#include <algorithm>

#include "launcher/files/contents.h"

namespace vmfs {

Output::Output(int fd) : fd_(fd), buffer_(size) {
  widen_pipe(fd);
}

Result<void> Output::append(std::string_view text) {
  auto bytes = std::as_bytes(std::span(text));
  while (!bytes.empty()) {
    const auto free = TRY(room());
    const std::size_t length = std::min(free.size(), bytes.size());
    std::ranges::copy(bytes.first(length), free.begin());
    take(length);
    bytes = bytes.subspan(length);
  }
  return {};
}

Result<void> Output::append_zeros(std::uint64_t count) {
  while (count > 0) {
    const auto free = TRY(room());
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(free.size(), count));
    std::ranges::fill(free.first(length), std::byte{});
    take(length);
    count -= length;
  }
  return {};
}

Result<std::span<std::byte>> Output::room() {
  if (used_ == buffer_.size()) TRY(flush());
  return std::span(buffer_).subspan(used_);
}

Result<void> Output::flush() {
  TRY(write_all(fd_, std::span(buffer_).first(used_)));
  written_ += used_;
  used_ = 0;
  return {};
}

}  // namespace vmfs
