// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fs/xfs/inode.h"

namespace vmfs::xfs {

/// A run of blocks of a fork.
struct Mapping {
  enum class State : std::uint8_t { hole, written, unwritten };

  std::uint64_t file_block = 0;  ///< first block within the fork
  std::uint64_t count = 0;       ///< blocks, at least 1
  std::uint64_t offset = 0;      ///< written: bytes in the volume
  State state = State::hole;
};

/// Blocks behind the last one a fork can have: where the mapping of a trailing hole ends.
inline constexpr std::uint64_t max_file_blocks = 1ULL << 54;

/// One fork of one inode, to be asked where its blocks are. Does not own `fork.bytes`.
struct ForkMap {
  std::uint64_t inode = 0;
  bool attributes = false;
  Fork fork;
};

[[nodiscard]] inline ForkMap data_map(const InodeCore& inode) {
  return {.inode = inode.number, .fork = inode.data};
}
[[nodiscard]] inline ForkMap attr_map(const InodeCore& inode) {
  return {.inode = inode.number, .attributes = true, .fork = inode.attr};
}

/// The record or hole around `file_block` (< max_file_blocks), from that block on. Blocks that follow in the
/// volume too are not merged. Reads at most one block of the tree per level.
/// Errors: EUCLEAN, EIO.
[[nodiscard]] Result<Mapping> find_mapping(const Volume& volume, const ForkMap& map,
                                           std::uint64_t file_block);

/// Gathers `into` from the fork's blocks that start at `file_block`, all of which must be there.
/// Returns where the first of them lies in the volume. Errors: EUCLEAN (a hole), EIO.
[[nodiscard]] Result<std::uint64_t> read_fork(const Volume& volume, const ForkMap& map,
                                              std::uint64_t file_block, std::span<std::byte> into);

}  // namespace vmfs::xfs
