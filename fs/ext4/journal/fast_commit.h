// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "fs/ext4/journal/journal.h"

namespace vmfs::ext4 {

/// Kinds of changes in the area of fast commits: fs/ext4/fast_commit.h of the kernel.
enum FastTag : std::uint16_t {
  fast_add_range = 1,
  fast_del_range = 2,
  fast_create = 3,
  fast_link = 4,
  fast_unlink = 5,
  fast_inode = 6,
  fast_pad = 7,
  fast_tail = 8,
  fast_head = 9,
};

struct FastAddRange {
  le32 fc_ino;
  le32 ee_block;
  le16 ee_len;
  le16 ee_start_hi;
  le32 ee_start_lo;
};
static_assert(sizeof(FastAddRange) == 16);

struct FastDelRange {
  le32 fc_ino;
  le32 fc_lblk;
  le32 fc_len;
};
static_assert(sizeof(FastDelRange) == 12);

/// In front of a name.
struct FastName {
  le32 fc_parent_ino;
  le32 fc_ino;
};
static_assert(sizeof(FastName) == 8);

/// A change, its length checked: the structure of its kind, and behind it a name of 1 to 255 bytes or an
/// inode of 128 bytes to the file system's inode size.
struct FastChange {
  FastTag tag{};
  std::span<const std::byte> value;  ///< valid during the visit only
};

/// Visits the changes of all fast commits that were completed after the last transaction of the log, in
/// order; `transaction` is the one behind that. An unfinished fast commit ends them, as anything else that is
/// none. The answer is the number of changes. Errors: those of `visit`; EUCLEAN, EIO.
[[nodiscard]] Result<std::uint64_t> walk_fast_commits(
    const Journal& journal, std::uint32_t transaction, std::uint32_t inode_size,
    const std::function<Result<void>(const FastChange&)>& visit);

}  // namespace vmfs::ext4
