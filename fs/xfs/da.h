// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fs/xfs/bmap.h"
#include "fs/xfs/format_da.h"

namespace vmfs::xfs {

/// The hash of a directory entry's or an attribute's name (xfs_da_hashname()).
[[nodiscard]] std::uint32_t hash_name(std::string_view name);

/// Index of the first of `entries` (8 bytes each, starting with a hash, in its order) whose hash is not below
/// `hash`.
[[nodiscard]] std::uint32_t first_not_below(std::span<const std::byte> entries, std::uint32_t hash);

/// A checked block of a hash tree.
struct DaBlock {
  Block block;
  std::uint64_t number = 0;  ///< within the fork
  std::uint32_t magic = 0;   ///< as in version 4
  std::uint32_t count = 0;   ///< entries
  std::uint32_t level = 0;   ///< of a node
  std::uint64_t forw = 0;
  std::uint64_t back = 0;
  std::span<const std::byte> entries{};  ///< 8 bytes each, starting with the hash, in its order

  [[nodiscard]] std::uint32_t hash(std::uint32_t index) const {
    return from_bytes<be32>(entries.subspan(std::size_t{index} * 8));
  }
};

/// The hash tree of a directory or of an attribute fork: inner nodes above leaves that the user knows.
/// Errors of all: EUCLEAN, EIO.
class DaTree {
 public:
  /// A directory's index.
  static DaTree directory(const Volume& volume, const InodeCore& inode);
  /// The attributes that are not in the inode.
  static DaTree attributes(const Volume& volume, const InodeCore& inode);

  /// The leaf where entries of `hash` start, if there are any.
  [[nodiscard]] Result<DaBlock> find_leaf(std::uint32_t hash) const;

  /// The leaf to the right, nothing behind the last one. `first` is the number of the leaf where the caller
  /// began to walk to the right; such a walk always ends.
  [[nodiscard]] Result<std::optional<DaBlock>> next_leaf(const DaBlock& leaf, std::uint64_t first) const;

 private:
  DaTree(const Volume& volume, ForkMap map, std::uint64_t root, std::uint32_t block_log, BlockKind kind)
      : volume_(volume), map_(map), root_(root), block_log_(block_log), kind_(kind) {}

  [[nodiscard]] Result<DaBlock> read_block(std::uint64_t number) const;
  [[nodiscard]] Result<DaBlock> parse(Block block, std::uint64_t number) const;
  [[nodiscard]] Result<void> check(const DaBlock& block, std::uint64_t offset) const;
  [[nodiscard]] bool accepts(std::uint32_t magic) const;
  [[nodiscard]] std::string name(std::uint64_t number) const;

  const Volume& volume_;
  const ForkMap map_;
  const std::uint64_t root_;
  const std::uint32_t block_log_;
  const BlockKind kind_;
};

}  // namespace vmfs::xfs
