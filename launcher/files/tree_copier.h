// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "launcher/fd.h"
#include "launcher/files/copy_attributes.h"
#include "launcher/files/copy_contents.h"
#include "launcher/files/directory.h"
#include "launcher/files/report.h"

namespace vmfs {

/// What `cp` keeps and follows.
struct CopyOptions {
  bool recursive = false;
  bool attributes = false;  ///< mode, owner, times and access control lists
  bool xattrs = false;
  bool hard_links = false;
  bool follow_links = false;
};

/// Copies files and trees of an image into a directory of the host. Whatever names and links the image holds,
/// nothing is written outside of that directory: each name is one component below an opened directory, and no
/// symbolic link that is there is followed. What is in the way is replaced, but for directories, into which
/// goes what is in those of the image.
class TreeCopier final : private WalkVisitor {
 public:
  TreeCopier(const Filesystem& filesystem, const CopyOptions& options);

  /// Copies the file `inode`, which `path` names in the image, to `name` in the opened `directory`, which
  /// `shown` names in messages. An empty `name`: the contents of a directory go into `directory` itself.
  void copy(const std::string& path, Inode inode, Fd directory, std::string name, const std::string& shown);

  /// Complains of what cannot be copied at all.
  void error(const std::string& path, const Error& error) override;

  /// Says what could not be kept. Returns the exit status.
  [[nodiscard]] int finish();

 private:
  /// A directory of the host that we are in.
  struct Level {
    Fd fd;
    std::string name;  ///< from the directory of the whole copy, empty for that itself
    bool made = false;
  };

  WalkStep visit(const WalkEntry& entry) override;
  void leave(const WalkEntry& entry) override;

  [[nodiscard]] Result<WalkStep> copy_entry(const WalkEntry& entry);
  [[nodiscard]] Result<void> enter_directory(const WalkEntry& entry, const std::string& name);
  [[nodiscard]] Result<void> leave_directory(const WalkEntry& entry, const Level& level);
  [[nodiscard]] Result<void> copy_file(const WalkEntry& entry, const std::string& name);
  [[nodiscard]] Result<void> copy_special(const WalkEntry& entry, const std::string& name);
  [[nodiscard]] Result<bool> link_to_first(const WalkEntry& entry, const std::string& name);
  [[nodiscard]] Result<void> make_way(const std::string& name);
  [[nodiscard]] std::string host_name(const WalkEntry& entry) const;

  const Filesystem& filesystem_;
  const CopyOptions options_;
  const mode_t mask_;
  Progress progress_;
  ContentsCopier contents_;
  AttributeCopier attributes_;
  Report report_;
  std::string top_name_;
  std::vector<Level> levels_;
  int top_ = -1;                                   ///< the directory of the copy that goes on
  std::unordered_map<Inode, std::string> copied_;  ///< below top_: names of files with several links
};

}  // namespace vmfs
