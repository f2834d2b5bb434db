// SPDX-License-Identifier: MIT
#pragma once

#include <map>

#include "fs/xfs/bmap.h"

namespace vmfs::xfs {

/// All extents of a fork, to be changed.
class ForkEdit {
 public:
  /// A run of blocks; a hole where `there` is false.
  struct Run {
    std::uint64_t file_block = 0;
    std::uint64_t start = 0;  ///< FsBlock
    std::uint64_t count = 0;
    bool unwritten = false;
    bool there = false;
  };

  /// Reads all extents of the fork. Errors: EUCLEAN, EIO; EFBIG where there are too many to be worth it.
  [[nodiscard]] static Result<ForkEdit> load(const Volume& volume, const ForkMap& map);

  /// What is at `file_block`, from there on and at most `count` blocks.
  [[nodiscard]] Run at(std::uint64_t file_block, std::uint64_t count) const;
  /// Makes a hole. Returns how many blocks were there.
  std::uint64_t remove(std::uint64_t file_block, std::uint64_t count);
  /// Fills a hole. Errors: EUCLEAN (there is something).
  [[nodiscard]] Result<void> insert(const Run& run);

  /// The extents as they lie on the disk (BmbtRec).
  [[nodiscard]] std::vector<std::byte> encode() const;

 private:
  std::map<std::uint64_t, Run> runs_;  // by file block
};

}  // namespace vmfs::xfs
