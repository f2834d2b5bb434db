// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "fs/ext4/block_map.h"

namespace vmfs::ext4 {

/// map_blocks() for inodes with the extents flag.
[[nodiscard]] Result<Run> map_by_extents(Workspace& workspace, const InodeRecord& inode,
                                         std::uint64_t logical, std::uint64_t max_length);

/// One extent of a file's tree.
struct FileExtent {
  std::uint64_t logical = 0;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool unwritten = false;
};

/// A file's tree as a whole.
struct FileExtents {
  std::vector<FileExtent> extents;   ///< in order, without overlap
  std::vector<std::uint64_t> nodes;  ///< the blocks of the tree
};

/// Reads all extents of an inode with the extents flag. Errors: EUCLEAN, EBADMSG, EIO; EFBIG for more than
/// `most` nodes.
[[nodiscard]] Result<FileExtents> list_extents(Workspace& workspace, const InodeRecord& inode,
                                               std::size_t most);

}  // namespace vmfs::ext4
