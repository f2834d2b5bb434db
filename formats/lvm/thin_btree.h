// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "formats/source.h"

namespace vmfs::lvm {

/// A node of a B-tree of device mapper's persistent-data library, checked. Keys ascend.
struct BtreeNode {
  bool leaf = false;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint64_t> values;  ///< the first eight bytes of each; of internal nodes: blocks
};

/// What a tree says of a key.
struct BtreeRun {
  std::shared_ptr<const BtreeNode> leaf;
  std::size_t index = 0;  ///< of the key in the leaf, where `found`; else of the next greater one, if any
  bool found = false;
  std::uint64_t end = 0;  ///< where not `found`: the next key there is, or the greatest number
};

/// The B-trees in the metadata of a thin pool. Keeps the nodes used last; safe for concurrent use by multiple
/// threads.
class Btrees {
 public:
  explicit Btrees(std::shared_ptr<const Source> metadata);

  /// Looks `key` up in the tree whose root is the block `root` and whose values have `value_size` bytes.
  /// Reads a node a level, at most 16. Errors: EUCLEAN (checksums, bounds, order, depth), EIO.
  [[nodiscard]] Result<BtreeRun> find(std::uint64_t root, std::uint64_t key, std::uint32_t value_size) const;

  /// The value of `key` alone.
  [[nodiscard]] Result<std::optional<std::uint64_t>> value(std::uint64_t root, std::uint64_t key,
                                                           std::uint32_t value_size) const;

 private:
  struct Slot {
    std::uint64_t block = 0;  ///< 0, the superblock, is no node
    std::uint32_t value_size = 0;
    std::shared_ptr<const BtreeNode> node;
  };
  static constexpr std::size_t slot_count = 1024;
  static constexpr std::size_t stripe_count = 16;

  [[nodiscard]] Result<std::shared_ptr<const BtreeNode>> node(std::uint64_t block,
                                                              std::uint32_t value_size) const;
  [[nodiscard]] Result<BtreeNode> read_node(std::uint64_t block, std::uint32_t value_size) const;

  const std::shared_ptr<const Source> metadata_;
  mutable std::vector<Slot> slots_;  ///< by block number
  mutable std::array<std::mutex, stripe_count> mutexes_;
};

/// The checksum of a metadata block, which starts with it.
[[nodiscard]] std::uint32_t thin_checksum(std::span<const std::byte> block, std::uint32_t salt);

}  // namespace vmfs::lvm
