// SPDX-License-Identifier: MIT
#include "fs/ext4/block_map.h"

#include "fs/ext4/extent_tree.h"
#include "fs/ext4/indirect.h"

namespace vmfs::ext4 {

Result<Run> map_blocks(Workspace& workspace, const InodeRecord& inode, std::uint64_t logical,
                       std::uint64_t max_length) {
  if (inode.has(flag_extents)) return map_by_extents(workspace, inode, logical, max_length);
  return map_by_indirection(workspace, inode, logical, max_length);
}

}  // namespace vmfs::ext4
