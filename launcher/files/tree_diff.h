// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fs/filesystem.h"
#include "launcher/files/directory.h"
#include "launcher/files/same_contents.h"

namespace vmfs {

/// What can differ between two files of one path.
enum class Change : std::uint8_t { type, content, target, device, mode, owner, xattrs, modified };

/// The word for it, in text and JSON.
[[nodiscard]] std::string_view change_word(Change change);

/// A path at which two trees differ.
struct Difference {
  std::string path;
  std::optional<Attributes> before;  ///< absent: added
  std::optional<Attributes> after;   ///< absent: removed
  std::vector<Change> changes;       ///< where it is in both, in the order of the enumerators
  std::vector<std::string> xattrs;   ///< names, each behind '+' (added), '-' (removed) or '~' (changed)
};

/// What a comparison tells.
struct DiffEvents {
  std::function<void(const Difference&)> difference;
  std::function<void(const std::string& path, const Error& error)>
      error;  ///< the comparison goes on beside it
  std::function<void(std::uint64_t bytes)> tick;
};

/// Compares two trees in the order of the names' bytes: type, contents of regular files, target of links,
/// number of devices, permission bits, owner and group, extended attributes (ACLs among them); with `times`
/// when a file was modified. Contents that both have in the same place of a host file are not read. Each
/// directory is entered once and none deeper than 1024 levels.
class TreeDiff {
 public:
  TreeDiff(const Filesystem& before, const Filesystem& after, bool times, DiffEvents events);

  /// Compares what `path` names in both.
  void compare(const std::string& path, Inode before, Inode after);

  /// Bytes of contents that had to be read, of each side.
  [[nodiscard]] std::uint64_t bytes_read() const { return contents_.bytes_read(); }

 private:
  struct Pair {
    Inode before{};
    Inode after{};
    auto operator<=>(const Pair&) const = default;
  };

  void compare(const std::string& path, const Pair& pair, std::size_t depth);
  void compare_directories(const std::string& path, const Pair& pair, std::size_t depth);
  void one_sided(const std::string& path, const Filesystem& filesystem, Inode inode, bool added);

  [[nodiscard]] Result<Difference> differences(const std::string& path, const Pair& pair);
  [[nodiscard]] Result<bool> same_file(const Pair& pair, const Attributes& before, const Attributes& after);
  [[nodiscard]] Result<std::vector<std::string>> xattr_changes(const Pair& pair) const;

  const Filesystem& before_;
  const Filesystem& after_;
  const bool times_;
  const DiffEvents events_;
  ContentComparer contents_;
  std::map<Pair, bool> linked_;  ///< whether files with several names have the same contents
  std::unordered_set<std::uint64_t> entered_[2];
};

}  // namespace vmfs
