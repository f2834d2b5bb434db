// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "formats/source.h"
#include "fs/ext4/handle.h"
#include "fs/ext4/superblock.h"

namespace vmfs::ext4 {

/// A block of metadata in a workspace's cache. Stays valid during the next eight calls of Workspace::block().
struct CachedBlock {
  std::span<const std::byte> bytes;  ///< exactly one block
  /// Which structure of which inode the block was last found to be (`checked_as()`), 0 for none: lets a
  /// reader check a block once and not on each use.
  std::uint64_t* checked;
};

/// What a metadata block can be checked as.
enum class BlockRole : std::uint8_t { extent_node = 1, directory_leaf, directory_index, attributes };

/// The value of CachedBlock::checked for a block of `inode` in that role.
[[nodiscard]] constexpr std::uint64_t checked_as(BlockRole role, std::uint32_t inode) {
  return std::uint64_t{static_cast<std::uint8_t>(role)} << 32 | inode;
}

class Volume;

/// What one operation works with: a small cache of metadata blocks and a buffer. Used by one thread at a
/// time.
class Workspace {
 public:
  explicit Workspace(const Volume& volume);

  [[nodiscard]] const Volume& volume() const { return volume_; }

  /// Reads a block of metadata through the cache. Errors: EUCLEAN (not inside the file system), EIO.
  [[nodiscard]] Result<CachedBlock> block(Block number);

  /// A buffer of Volume::buffer_size() bytes.
  [[nodiscard]] std::span<std::byte> buffer();

 private:
  static constexpr std::size_t slots = 16;
  static constexpr std::uint64_t empty = ~std::uint64_t{0};

  const Volume& volume_;
  std::array<std::uint64_t, slots> numbers_;
  std::array<std::uint64_t, slots> checked_{};
  std::array<std::uint64_t, slots> used_{};  ///< when each was asked for last, by uses_
  std::uint64_t uses_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
  std::unique_ptr<std::byte[]> buffer_;
};

/// The checked superblock, the group descriptors and the bytes below. Immutable; safe for concurrent use by
/// multiple threads, each through a workspace of its own.
class Volume {
 public:
  /// A workspace on loan from the volume's pool.
  class Lease {
   public:
    explicit Lease(const Volume& volume);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] Workspace& operator*() const { return *workspace_; }

   private:
    const Volume& volume_;
    std::unique_ptr<Workspace> workspace_;
  };

  Volume(std::shared_ptr<const Source> source, const Geometry& geometry, Handle handle)
      : source_(std::move(source)), geometry_(geometry), handle_(std::move(handle)) {}

  [[nodiscard]] const Source& source() const { return *source_; }
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] const Handle& handle() const { return handle_; }

  /// Length of Workspace::buffer(): a multiple of the block size.
  [[nodiscard]] std::size_t buffer_size() const { return std::size_t{64} << 10; }

 private:
  const std::shared_ptr<const Source> source_;
  const Geometry geometry_;
  const Handle handle_;
  mutable std::mutex mutex_;  ///< guards the pool, held for a push or a pop
  mutable std::array<std::unique_ptr<Workspace>, 64> pool_;
  mutable std::size_t idle_ = 0;  ///< workspaces in pool_, at its start
};

}  // namespace vmfs::ext4
