// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "fs/ext4/journal/journal.h"
#include "fs/ext4/journal/tags.h"

namespace vmfs::ext4 {

/// The checksum over whole transactions of the feature checksum: CRC-32, most significant bit first, not
/// inverted at either end.
[[nodiscard]] std::uint32_t crc32_be(std::uint32_t crc, std::span<const std::byte> bytes);

// What follows says of a journal without checksums of single blocks that all is well.

/// Whether the tail of a block of tags or revoke records is right.
[[nodiscard]] bool is_tail_right(const Journal& journal, std::span<const std::byte> block);

/// Whether the checksum of a commit block is right; of the block as it was written, or of its header alone,
/// as the kernel accepts it too.
[[nodiscard]] bool is_commit_right(const Journal& journal, std::span<const std::byte> block);

/// Whether a block that was logged by transaction `sequence` is the one its tag was made for.
[[nodiscard]] bool is_logged_block_right(const Journal& journal, const Tag& tag, std::uint32_t sequence,
                                         std::span<const std::byte> block);

}  // namespace vmfs::ext4
