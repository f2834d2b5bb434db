// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fs/ext4/journal/journal.h"

namespace vmfs::ext4 {

/// What a descriptor block says of a block that follows it in the log.
struct Tag {
  std::uint64_t block = 0;  ///< of the file system, unchecked
  std::uint32_t checksum = 0;
  bool escaped = false;
};

/// The tags of a descriptor block, in the order of the blocks behind it.
class Tags {
 public:
  /// `block` must live as long as this.
  Tags(const Journal& journal, std::span<const std::byte> block);

  /// The next tag; nothing after the last.
  [[nodiscard]] std::optional<Tag> next();

 private:
  const Journal& journal_;
  const std::span<const std::byte> payload_;
  std::size_t offset_ = sizeof(JournalHeader);
};

/// How many blocks follow a descriptor block.
[[nodiscard]] std::uint32_t count_tags(const Journal& journal, std::span<const std::byte> block);

}  // namespace vmfs::ext4
