// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "fs/ext4/editor.h"

namespace vmfs::ext4 {

/// What a recovery gives back that the group descriptors count as used, less what they count as free and is
/// used: of the cleanup of orphans: inodes that were deleted while they were open, and the
/// blocks behind the end of files that were being truncated.
struct Freed {
  std::int64_t blocks = 0;
  std::int64_t inodes = 0;
};

/// Whether the superblock names orphans, in a list or in a file.
[[nodiscard]] bool may_have_orphans(const Superblock& superblock);

/// Does in memory what of that cleanup can be seen. What cannot be an orphan ends the list, as in the kernel.
[[nodiscard]] Freed clean_orphans(Editor& editor, const Superblock& superblock);

}  // namespace vmfs::ext4
