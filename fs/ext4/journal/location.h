// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

/// Where the blocks of an internal journal lie in the file system. Immutable.
class JournalLocation {
 public:
  /// Finds the journal by its inode, or, where that is none of a journal, by its copy in the superblock.
  /// Errors: EUCLEAN (no such journal), EFBIG (more pieces than any journal has), EIO.
  [[nodiscard]] static Result<JournalLocation> find(Workspace& workspace, const Superblock& superblock);

  /// Length of the file that holds the journal, in blocks of the file system.
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }

  /// The file system's block where block `index` of the journal lies. Errors: EUCLEAN (a hole, or no such
  /// block).
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
};

}  // namespace vmfs::ext4
