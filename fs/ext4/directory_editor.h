// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string_view>

#include "fs/ext4/extent_editor.h"

namespace vmfs::ext4 {

/// Changes the names in directories in memory, as the kernel's replay of fast commits does. Directories with
/// inline data cannot be changed (EOPNOTSUPP). As there, i_blocks does not count what directories get. Other
/// errors: EUCLEAN, EBADMSG, EFBIG, EIO, ENOSPC.
class DirectoryEditor {
 public:
  DirectoryEditor(Editor& editor, SpareBlocks spare) : editor_(editor), spare_(std::move(spare)) {}

  /// Adds a name. False: it is there.
  [[nodiscard]] Result<bool> add(std::uint32_t directory, std::string_view name, std::uint32_t inode);

  /// Takes a name out if it is that of `inode`. False: there is no such name at all.
  [[nodiscard]] Result<bool> remove(std::uint32_t directory, std::string_view name, std::uint32_t inode);

  /// Makes an inode an empty directory: "." and "..".
  [[nodiscard]] Result<void> make(std::uint32_t directory, std::uint32_t parent);

 private:
  using BlockVisitor = std::function<Result<bool>(std::uint64_t logical, std::uint64_t number)>;

  /// Visits the blocks of a directory until one answers true. Errors: EFBIG (too many so far).
  [[nodiscard]] Result<bool> any_block(Workspace& workspace, const InodeRecord& directory,
                                       const BlockVisitor& visit);
  [[nodiscard]] Result<void> put_leaf(const InodeRecord& directory, std::uint64_t number,
                                      std::vector<std::byte> bytes);
  [[nodiscard]] Result<bool> insert_into(const InodeRecord& directory, std::uint64_t number,
                                         std::string_view name, std::uint32_t inode, std::uint8_t type);
  [[nodiscard]] Result<void> forget_index(const InodeRecord& directory);
  [[nodiscard]] Result<void> append(std::uint32_t directory, std::string_view name, std::uint32_t inode,
                                    std::uint8_t type, std::uint64_t blocks);
  [[nodiscard]] std::vector<std::byte> empty_leaf() const;

  Editor& editor_;
  const SpareBlocks spare_;
  std::uint64_t work_ = 0;  ///< blocks visited
};

}  // namespace vmfs::ext4
