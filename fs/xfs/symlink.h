// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "fs/xfs/bmap.h"

namespace vmfs::xfs {

/// The target of symbolic link `inode`. Errors: EUCLEAN, EIO.
[[nodiscard]] Result<std::string> read_symlink(const Volume& volume, const InodeCore& inode);

}  // namespace vmfs::xfs
