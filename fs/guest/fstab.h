// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/result.h"

namespace vmfs {

/// A line of fstab(5), its fields unescaped.
struct FstabEntry {
  std::string device;     ///< fs_spec: "UUID=...", "/dev/sda1", "tmpfs"
  std::string directory;  ///< fs_file: an absolute path, or "none"
  std::string type;       ///< fs_vfstype: "ext4", "auto", "swap"
  std::string options;    ///< fs_mntops, comma-separated; "defaults" where there is none

  friend bool operator==(const FstabEntry&, const FstabEntry&) = default;
};

/// The lines of an fstab(5) in their order: fields apart by blanks and tabs, "\040" and the like for what
/// would end a field, comments from "#" at the beginning of a line. Lines of fewer than three fields are left
/// out, as is everything behind the first 512 entries; `warn` says so.
[[nodiscard]] std::vector<FstabEntry> parse_fstab(std::string_view text, const Warn& warn);

/// Whether a comma-separated list of options has this word, or a word that begins with it where it ends in
/// "=".
[[nodiscard]] bool has_mount_option(std::string_view options, std::string_view word);

}  // namespace vmfs
