// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fs/filesystem.h"

namespace vmfs {

/// The file that `path` names, as if the file system's root were "/": symbolic links, the last one included,
/// are followed inside it only, ".." stops at its root. Errors: ENOENT, ENOTDIR, ELOOP (more than 40 links),
/// ENAMETOOLONG (a path of 4096 bytes or more), and what the file system says.
[[nodiscard]] Result<Inode> resolve(const Filesystem& filesystem, std::string_view path);

/// As resolve(), but a symbolic link at the very end is not followed: its own inode is the answer.
[[nodiscard]] Result<Inode> resolve_link(const Filesystem& filesystem, std::string_view path);

/// The contents of a regular file of at most `max` bytes. Errors: EINVAL (not a regular file), EFBIG, and
/// what the file system says.
[[nodiscard]] Result<std::string> read_small_file(const Filesystem& filesystem, Inode inode,
                                                  std::uint64_t max);

}  // namespace vmfs
