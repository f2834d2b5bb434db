// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

/// Blocks of a file that lie together, or a hole in it (unwritten extents are holes).
struct Run {
  bool hole = true;
  std::uint64_t first = 0;   ///< block of the file system; meaningless for a hole
  std::uint64_t length = 0;  ///< blocks, at least 1
};

/// Where the block `logical` of a file lies, and at most `max_length` > 0 blocks after it, as far as the
/// piece of the map goes that names it. Walks the map on disk (extent tree or indirect blocks) through the
/// workspace's cache: nothing is kept for a file, so no tree can make us use memory.
/// REQUIRES: the inode is one with a map: no inline data, no fast symbolic link.
/// Errors: EUCLEAN, EBADMSG (checksum of a node), EIO.
[[nodiscard]] Result<Run> map_blocks(Workspace& workspace, const InodeRecord& inode, std::uint64_t logical,
                                     std::uint64_t max_length);

}  // namespace vmfs::ext4
