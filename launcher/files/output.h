// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "formats/result.h"

namespace vmfs {

/// A descriptor behind a buffer that others may fill in place.
class Output {
 public:
  explicit Output(int fd);

  /// Errors of all functions: those of write(2).
  [[nodiscard]] Result<void> append(std::string_view text);
  [[nodiscard]] Result<void> append_zeros(std::uint64_t count);

  /// Room for at least one byte; what was put there counts from take() on.
  [[nodiscard]] Result<std::span<std::byte>> room();
  void take(std::size_t length) { used_ += length; }

  [[nodiscard]] Result<void> flush();

  /// Bytes appended so far.
  [[nodiscard]] std::uint64_t position() const { return written_ + used_; }

 private:
  // What a processor's cache holds, and a pipe takes at once.
  static constexpr std::size_t size = std::size_t{256} << 10;

  const int fd_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace vmfs
