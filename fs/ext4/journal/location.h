// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

/// Where the blocks of a journal lie: in the file system, or on a device of their own. Immutable.
class JournalLocation {
 public:
  /// Finds the journal by its inode, or, where that is none of a journal, by its copy in the superblock.
  /// Errors: EUCLEAN (no such journal), EFBIG (more pieces than any journal has), EIO.
  [[nodiscard]] static Result<JournalLocation> find(Workspace& workspace, const Superblock& superblock);

  /// The journal on a device of its own, if one of the `devices` is the one that the file system names. No
  /// device: there is none. Errors: EUCLEAN (it is no sound one), EBADMSG (checksum), EIO.
  [[nodiscard]] static Result<JournalLocation> find_on_devices(
      std::span<const std::shared_ptr<const Source>> devices, const Superblock& superblock,
      std::uint32_t block_size);

  /// Null for a journal in the file system: its own volume.
  [[nodiscard]] const std::shared_ptr<const Source>& device() const { return device_; }

  /// The journal's block with its superblock.
  [[nodiscard]] std::uint64_t superblock_index() const { return superblock_index_; }

  /// Length of the file or device that holds the journal, in blocks of the file system.
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }

  /// The file system's or the device's block where block `index` of the journal lies. Errors: EUCLEAN (a
  /// hole, or no such block).
  [[nodiscard]] Result<std::uint64_t> locate(std::uint64_t index) const;

 private:
  struct Piece {
    std::uint64_t index;
    std::uint64_t first;
    std::uint64_t length;
  };

  [[nodiscard]] Result<void> collect(Workspace& workspace, const InodeRecord& inode);

  std::vector<Piece> pieces_;  ///< in order of the index
  std::uint64_t blocks_ = 0;
  std::uint64_t superblock_index_ = 0;
  std::shared_ptr<const Source> device_;
};

}  // namespace vmfs::ext4
