// SPDX-License-Identifier: MIT
#pragma once

#include "fs/ext4/block_map.h"

namespace vmfs::ext4 {

/// map_blocks() for inodes without the extents flag: the block map of ext2 and ext3.
[[nodiscard]] Result<Run> map_by_indirection(Workspace& workspace, const InodeRecord& inode,
                                             std::uint64_t logical, std::uint64_t max_length);

}  // namespace vmfs::ext4
