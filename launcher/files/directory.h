// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// A name in a directory of the guest.
struct Child {
  std::string name;
  Inode inode{};
  bool directory = false;  ///< by what the directory says of it, which can be nothing
};

/// The names in a directory in the order of their bytes, without "." and "..". What is no name (empty, with a
/// slash or a NUL) is left out and told to `odd`, which may be empty. An error leaves in `children` what came
/// before it.
[[nodiscard]] Result<void> read_directory(const Filesystem& filesystem, Inode directory,
                                          std::vector<Child>& children,
                                          const std::function<void(const std::string& name)>& odd = {});

/// `directory` and `name` with one slash between them.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

/// A file that a walk comes to.
struct WalkEntry {
  std::string path;  ///< the start as given, and the names from there
  Inode inode{};
  Attributes attributes;
  std::size_t depth = 0;  ///< 0 for the start
};

/// How a walk goes on: `into` a directory, `over` what is in it, or not at all.
enum class WalkStep : std::uint8_t { into, over, stop };

/// Receives what a walk finds.
class WalkVisitor {
 public:
  virtual ~WalkVisitor() = default;
  WalkVisitor() = default;
  WalkVisitor(const WalkVisitor&) = delete;
  WalkVisitor& operator=(const WalkVisitor&) = delete;

  /// A file, a directory before what is in it.
  virtual WalkStep visit(const WalkEntry& entry) = 0;
  /// A directory that was gone into, after what is in it.
  virtual void leave(const WalkEntry&) {}
  /// What cannot be read: the walk goes on beside it.
  virtual void error(const std::string& path, const Error& error) = 0;
};

/// What a walk does with symbolic links: shows themselves, or what they lead to inside the image.
enum class WalkLinks : std::uint8_t { keep, follow };

/// Visits the tree at `start`, which `path` names in the image, in the order of the names' bytes. Each
/// directory is entered once and none deeper than 4096 levels, whatever a damaged file system says: EUCLEAN
/// and ENAMETOOLONG. Where links are followed a directory may come again, but not inside itself: ELOOP.
void walk_tree(const Filesystem& filesystem, const std::string& path, Inode start, WalkVisitor& visitor,
               WalkLinks links = WalkLinks::keep);

}  // namespace vmfs
