// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <nettle/sha2.h>

namespace vmfs {

/// A digest by SHA-256. Used by one thread.
class Sha256 {
 public:
  Sha256() { ::sha256_init(&context_); }
  void add(std::span<const std::byte> bytes);
  /// The digest of all that was added, in lower-case hexadecimal digits. Call it once.
  [[nodiscard]] std::string finish();

 private:
  sha256_ctx context_;
};

/// A line of sha256sum(1) without its newline: a name with a newline, a carriage return or a backslash has
/// these escaped and the line a backslash before it.
[[nodiscard]] std::string checksum_line(const std::string& digest, const std::string& name);

}  // namespace vmfs
