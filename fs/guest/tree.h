// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// Several file systems as one tree, each on a directory of another. The top byte of an inode number is the
/// index of its file system in the order of mount(), 0 for the root, so every file has a number of its own;
/// the 56 bits below are the file system's own number. A directory that is mounted on is the root of what is
/// mounted there: in lookups, in listings and for "..".
class Tree final : public Filesystem {
 public:
  explicit Tree(std::shared_ptr<const Filesystem> root);

  /// Shows a file system in the place of a directory of the tree; on one that is mounted on already the later
  /// one covers the earlier. Not to be called any more once others use the tree. Errors: ENOTDIR, EBUSY (the
  /// root of the tree), EMFILE (more than 255), and what the file systems say.
  [[nodiscard]] Result<void> mount(std::shared_ptr<const Filesystem> filesystem, Inode directory);

  [[nodiscard]] const FilesystemInfo& info() const override { return info_; }
  [[nodiscard]] Inode root() const override { return branches_.front().filesystem->root(); }
  [[nodiscard]] Result<Usage> usage() const override { return branches_.front().filesystem->usage(); }
  [[nodiscard]] Result<Usage> usage_at(Inode inode) const override;
  [[nodiscard]] Result<Attributes> stat(Inode inode) const override;
  [[nodiscard]] Result<Inode> lookup(Inode directory, std::string_view name) const override;
  [[nodiscard]] Result<void> list(Inode directory, std::uint64_t cookie,
                                  const DirectoryVisitor& visit) const override;
  void will_list(std::span<const Inode> directories) const override;
  [[nodiscard]] Result<std::string> readlink(Inode inode) const override;
  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode inode) const override;
  [[nodiscard]] Result<std::vector<std::string>> xattr_names(Inode inode) const override;
  [[nodiscard]] Result<std::string> xattr(Inode inode, std::string_view name) const override;

 private:
  /// A file system in its place.
  struct Branch {
    std::shared_ptr<const Filesystem> filesystem;
    Inode parent{};  ///< what ".." of its root is in the tree
  };
  /// An inode of the tree, taken apart.
  struct Place {
    std::size_t branch = 0;
    const Filesystem* filesystem = nullptr;
    Inode inode{};  ///< the file system's own
  };

  [[nodiscard]] Result<Place> place_of(Inode inode) const;
  [[nodiscard]] static Inode number(std::size_t branch, Inode inode);
  /// What is seen where an inode is found: the root of what is mounted on it, else itself.
  [[nodiscard]] Inode uppermost(Inode inode) const;
  /// Whether "..", asked of this directory, leads to another file system.
  [[nodiscard]] static bool is_mounted_root(const Place& place);

  std::vector<Branch> branches_;
  std::unordered_map<Inode, std::size_t> covered_;  ///< directories mounted on, and by which branch
  FilesystemInfo info_;                             ///< of the root
};

}  // namespace vmfs
