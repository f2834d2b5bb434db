// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "formats/source.h"
#include "fs/ext4/superblock.h"

// The names of libext2fs.
struct struct_ext2_filsys;  // NOLINT(readability-identifier-naming)
struct ext2fs_nls_table;    // NOLINT(readability-identifier-naming)

namespace vmfs::ext4 {

/// What libext2fs knows of a file system after it opened it on our `io_manager`: the group descriptors, and
/// the tables for names in casefolded directories. Only functions of libext2fs that leave its handle alone
/// are called later, so one handle serves all threads, and the descriptors lie in memory once.
class Handle {
 public:
  /// Lets libext2fs open the file system on `volume`, which must live as long as the handle.
  /// Errors: EUCLEAN (what libext2fs refuses), ENOMEM, and those of the volume.
  [[nodiscard]] static Result<Handle> open(const Source& volume, std::uint32_t block_size);

  /// First block of the inode table of a group. REQUIRES: group < the geometry's group_count. Unchecked.
  [[nodiscard]] Block inode_table(std::uint32_t group) const;

  /// Sums over all groups, as statfs(2) shows them.
  [[nodiscard]] std::uint64_t free_clusters() const;
  [[nodiscard]] std::uint64_t free_inodes() const;

  /// Number of groups whose descriptor has a wrong checksum.
  [[nodiscard]] std::uint32_t damaged_groups() const;

  /// Number of blocks that the group descriptor table fills.
  [[nodiscard]] std::uint32_t descriptor_blocks() const;

  /// The encoding of names in casefolded directories; null where there is none.
  [[nodiscard]] const ext2fs_nls_table* encoding() const;

 private:
  struct Close {
    void operator()(struct_ext2_filsys* handle) const;
  };
  explicit Handle(struct_ext2_filsys* handle) : handle_(handle) {}

  std::unique_ptr<struct_ext2_filsys, Close> handle_;
};

}  // namespace vmfs::ext4
