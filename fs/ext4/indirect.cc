// SPDX-License-Identifier: MIT
#include "fs/ext4/indirect.h"

#include <algorithm>
#include <cerrno>
#include <span>

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t direct_blocks = 12;

/// A table of block numbers, in the inode or in an indirect block.
using Table = std::span<const std::byte>;

std::uint32_t entry(Table table, std::uint64_t index) {
  return from_bytes<le32>(table.subspan(index * 4));
}

/// The run of blocks that the entries from `index` on name directly.
Result<Run> run_in_table(const Geometry& geometry, const InodeRecord& inode, Table table, std::uint64_t index,
                         std::uint64_t max_length) {
  const std::uint64_t first = entry(table, index);
  const std::uint64_t limit = std::min<std::uint64_t>(table.size() / 4 - index, max_length);
  std::uint64_t length = 1;
  while (length < limit && entry(table, index + length) == (first == 0 ? 0 : first + length)) ++length;
  if (first != 0 && !geometry.contains(first, length))
    return fail(EUCLEAN, "ext4: inode {}: {} blocks from {} of {}", inode.number, length, first,
                geometry.block_count);
  return Run{.hole = first == 0, .first = first, .length = length};
}

}  // namespace

Result<Run> map_by_indirection(Workspace& workspace, const InodeRecord& inode, std::uint64_t logical,
                               std::uint64_t max_length) {
  const Geometry& geometry = workspace.volume().geometry();
  const Table root = inode.i_block;
  if (logical < direct_blocks)
    return run_in_table(geometry, inode, root.first(std::size_t{direct_blocks} * 4), logical, max_length);

  const std::uint64_t per_block = geometry.block_size / 4;
  std::uint64_t rest = logical - direct_blocks;  // within the tree of `level` indirections
  std::uint64_t covered = per_block;             // by that tree
  std::uint64_t level = 1;
  for (; level < 3 && rest >= covered; ++level) {
    rest -= covered;
    covered *= per_block;
  }
  if (rest >= covered) return Run{.length = max_length};

  std::uint32_t number = entry(root, direct_blocks + level - 1);
  for (; number != 0; --level) {
    const Table table = TRY(workspace.block(Block{number})).bytes;
    covered /= per_block;
    const std::uint64_t index = rest / covered;
    if (level == 1) return run_in_table(geometry, inode, table, index, max_length);
    number = entry(table, index);
    rest %= covered;
  }
  return Run{.length = std::min(max_length, covered - rest)};
}

}  // namespace vmfs::ext4
