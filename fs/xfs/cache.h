// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace vmfs::xfs {

/// The bytes of a metadata block, shared by all who look at it.
class Block {
 public:
  Block() = default;
  /// A block of `size` bytes that are not set yet.
  explicit Block(std::size_t size) : bytes_(std::make_shared_for_overwrite<std::byte[]>(size)), size_(size) {}

  [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::span<std::byte> writable() { return {bytes_.get(), size_}; }

 private:
  std::shared_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
};

/// What a cached block was read, and found sound, as.
enum class BlockKind : std::uint8_t { inodes, bmap, dir_data, dir_index, attr };

/// Names a cached block: `number` is a byte offset in the volume for inodes and block maps, a block of the
/// owner's fork else.
struct BlockKey {
  std::uint64_t owner = 0;
  std::uint64_t number = 0;
  BlockKind kind{};

  bool operator==(const BlockKey&) const = default;
};

/// Keeps the metadata blocks used last, after they were checked. The kernel above us caches what they say,
/// but walks ask for the inodes of one block, and for a directory's index, many times in a row. Bounded; safe
/// for concurrent use by multiple threads.
class BlockCache {
 public:
  /// Room for blocks of `block_size` bytes within a fixed budget.
  explicit BlockCache(std::size_t block_size);

  [[nodiscard]] std::optional<Block> find(const BlockKey& key) const;
  void insert(const BlockKey& key, const Block& block) const;

 private:
  struct Slot {
    BlockKey key;
    Block block;
    std::uint64_t used = 0;  ///< 0: empty
  };
  struct Shard {
    mutable std::mutex mutex;
    std::vector<Slot> slots;
    std::uint64_t clock = 0;
  };
  static constexpr std::size_t shard_count = 16;

  [[nodiscard]] Shard& shard_of(const BlockKey& key) const;

  mutable std::array<Shard, shard_count> shards_;
};

}  // namespace vmfs::xfs
