// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "fs/ext4/editor.h"
#include "fs/ext4/extent_tree.h"

namespace vmfs::ext4 {

/// Gives the number of a block that nobody reads, for new metadata. Errors: ENOSPC.
using SpareBlocks = std::function<Result<std::uint64_t>()>;

/// More nodes than this, and a tree is not changed.
constexpr std::size_t most_extent_nodes = 65536;

/// Takes the blocks [logical, logical + length) out of a map, cutting extents that reach into them.
void cut_extents(std::vector<FileExtent>& extents, std::uint64_t logical, std::uint64_t length);

/// Lets `extent` be the map of its blocks.
void put_extent(std::vector<FileExtent>& extents, const FileExtent& extent);

/// Writes a tree of these extents into an inode's bytes, in as few nodes as can be: first those it has
/// (`tree.nodes`, which becomes those it needs), then spare ones. Errors: ENOSPC, EFBIG.
[[nodiscard]] Result<void> write_extents(Editor& editor, std::uint32_t number, std::vector<std::byte>& inode,
                                         FileExtents& tree, const SpareBlocks& spare);

/// The empty tree.
void clear_extents(DiskInode& fields);

}  // namespace vmfs::ext4
