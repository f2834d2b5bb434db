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

/// Lets `extent` be the map of its blocks; joins it with no other.
void put_extent(std::vector<FileExtent>& extents, const FileExtent& extent);

/// Makes one extent of all that go on where one ends, each no longer than an extent can be; those that begin
/// at `end` or behind it begin nothing.
void join_extents(std::vector<FileExtent>& extents, std::uint64_t end);

/// Changes the map of the blocks of `extent` as ext4_fc_replay_add_range() does, on which depends in how many
/// extents, and so in how many nodes, they lie: what had no map is joined with its neighbours, what had one
/// is changed in its place. `end` is where the file ended before, in blocks. The answer is how many extents
/// it has passed by; it gives up when these are more than `most`.
[[nodiscard]] std::uint64_t replay_extent(std::vector<FileExtent>& extents, const FileExtent& extent,
                                          std::uint64_t end, std::uint64_t most);

/// Writes a tree of these extents into an inode's bytes, in as few nodes as can be: first those it has
/// (`tree.nodes`, which becomes those it needs), then spare ones. Errors: ENOSPC, EFBIG.
[[nodiscard]] Result<void> write_extents(Editor& editor, std::uint32_t number, std::vector<std::byte>& inode,
                                         FileExtents& tree, const SpareBlocks& spare);

/// The empty tree.
void clear_extents(DiskInode& fields);

}  // namespace vmfs::ext4
