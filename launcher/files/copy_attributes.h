// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// A file of the host that was just made. What was opened is what gets the attributes, whatever somebody else
/// puts in the place of its name.
struct CopyTarget {
  int fd = -1;
  bool path_only = false;  ///< opened by O_PATH: symbolic links and special files
};

/// Gives copies the attributes of their originals, as far as we may, and counts what could not be kept.
/// Used by one thread.
class AttributeCopier {
 public:
  AttributeCopier(const Filesystem& filesystem, bool with_xattrs)
      : filesystem_(filesystem), with_xattrs_(with_xattrs) {}

  /// Sets owner, extended attributes, mode, access control lists and times, in an order in which none undoes
  /// another. Without the owner the bits setuid, setgid and sticky stay off, as they would give rights to
  /// somebody else. Errors: from the image only.
  [[nodiscard]] Result<void> copy(const Attributes& attributes, const CopyTarget& target);

  /// A line for each kind of what could not be kept.
  [[nodiscard]] std::vector<std::string> losses() const;

 private:
  bool copy_owner(const Attributes& attributes, const CopyTarget& target);
  [[nodiscard]] Result<void> copy_xattrs(const Attributes& attributes, const CopyTarget& target);
  void copy_mode(mode_t mode, const CopyTarget& target);
  [[nodiscard]] Result<void> copy_acls(const Attributes& attributes, const CopyTarget& target);
  void copy_times(const Attributes& attributes, const CopyTarget& target);

  const Filesystem& filesystem_;
  const bool with_xattrs_;
  std::uint64_t lost_owners_ = 0;
  std::uint64_t lost_modes_ = 0;
  std::uint64_t lost_times_ = 0;
  std::map<std::string, std::uint64_t> lost_xattrs_;  ///< files by the name of the attribute
};

}  // namespace vmfs
