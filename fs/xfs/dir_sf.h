// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "fs/xfs/dir_data.h"

namespace vmfs::xfs {

/// The entries of a directory inside its inode, "." and ".." among them, with the offsets they would have in
/// a data block, in ascending order. Names point into the inode. Errors: EUCLEAN.
[[nodiscard]] Result<std::vector<DirEntry>> short_entries(const Volume& volume, const InodeCore& directory);

}  // namespace vmfs::xfs
