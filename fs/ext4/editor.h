// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "formats/overlay_source.h"
#include "fs/ext4/disk_inode.h"
#include "fs/ext4/volume.h"

namespace vmfs::ext4 {

/// Changes the metadata of a file system in memory, as its recovery does. For one thread, before anybody else
/// reads the overlay.
class Editor {
 public:
  /// Errors: those of Handle::open().
  [[nodiscard]] static Result<Editor> open(std::shared_ptr<OverlaySource> overlay, const Geometry& geometry);

  [[nodiscard]] const Geometry& geometry() const { return volume_->geometry(); }

  /// For reading what was changed so far. Sees no later changes: take a new one after each.
  [[nodiscard]] Workspace workspace() const { return Workspace(*volume_); }

  /// A block's bytes. Errors: EUCLEAN (not inside the file system), EIO.
  [[nodiscard]] Result<std::vector<std::byte>> block(std::uint64_t number) const;
  [[nodiscard]] Result<void> put_block(std::uint64_t number, std::vector<std::byte> bytes);

  /// An inode's bytes as they lie on disk. Errors: EUCLEAN, EIO.
  [[nodiscard]] Result<std::vector<std::byte>> inode(std::uint32_t number) const;
  /// Makes the checksum right on the way.
  [[nodiscard]] Result<void> put_inode(std::uint32_t number, std::vector<std::byte> bytes);

 private:
  Editor(std::shared_ptr<OverlaySource> overlay, const Geometry& geometry, Handle handle);

  std::shared_ptr<OverlaySource> overlay_;
  std::unique_ptr<const Volume> volume_;
};

/// The fields of an inode's bytes.
[[nodiscard]] DiskInode fields_of(std::span<const std::byte> inode);
void set_fields(std::span<std::byte> inode, const DiskInode& fields);

/// i_blocks in units of blocks of the file system.
[[nodiscard]] std::uint64_t blocks_of(const Geometry& geometry, const DiskInode& fields);
void set_blocks(const Geometry& geometry, DiskInode& fields, std::uint64_t blocks);

}  // namespace vmfs::ext4
