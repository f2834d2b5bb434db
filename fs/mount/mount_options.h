// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"

namespace vmfs {

/// What the comma-separated words after `-o` ask for: those of mount(8), of mount.fuse3(8) and our own.
struct MountOptions {
  /// Words that libfuse and fusermount3 understand, in the order given.
  std::vector<std::string> fuse;

  bool allow_other = false;  ///< allow_other or allow_root
  bool default_permissions =
      false;  ///< the kernel checks modes and ACLs of the guest; implied by allow_other
  /// List "trusted." attributes for root. The kernel gives them to whoever has power over the whole machine
  /// only, and overlayfs copies no file with one that is listed and not given.
  bool trusted_attributes = false;
  bool auto_unmount = false;  ///< unmount even if the server is killed
  bool debug = false;
  unsigned max_threads = 10;
  unsigned max_read = 512 * 1024;  ///< bytes: the largest read that fits the pipe libfuse splices through

  double attr_timeout = timeout_never;
  double entry_timeout = timeout_never;
  double negative_timeout = timeout_never;

  std::optional<uid_t> uid;  ///< show every file as owned by this user
  std::optional<gid_t> gid;
  std::optional<mode_t> umask;  ///< permission bits taken away from everything
  std::optional<mode_t> fmask;  ///< ... from all but directories
  std::optional<mode_t> dmask;  ///< ... from directories

  /// Words that concern the image rather than the mount: "norecovery", "all", and "add" (repeatable),
  /// "format", "partition", "snapshot", "cache_size" with a value.
  bool recover = true;
  bool all = false;
  std::vector<std::string> added;
  std::string format;
  std::string partition;
  std::string snapshot;
  std::optional<std::size_t> cache_size;  ///< bytes, as parse_cache_size() has it

  /// The image cannot change under a mount: what the kernel has cached stays true. Ten years in seconds.
  static constexpr double timeout_never = 3650.0 * 86400;
};

/// Adds the words of one `-o` argument. A comma inside a word is written "\,", as libfuse has it.
/// Errors: EINVAL for an unknown word or a bad value, EROFS for "rw"; the text names the word and what to use
/// instead.
[[nodiscard]] Result<void> parse_mount_options(std::string_view words, MountOptions& options);

}  // namespace vmfs
