// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fs/xfs/inode.h"

namespace vmfs::xfs {

/// As Filesystem::xattr_names(): names with the kernel's prefixes, parent pointers left out.
[[nodiscard]] Result<std::vector<std::string>> list_xattrs(const Volume& volume, const InodeCore& inode);

/// As Filesystem::xattr(). Access control lists are turned into the kernel's format.
[[nodiscard]] Result<std::string> get_xattr(const Volume& volume, const InodeCore& inode,
                                            std::string_view name);

}  // namespace vmfs::xfs
