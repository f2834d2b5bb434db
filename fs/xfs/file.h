// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "fs/xfs/bmap.h"

namespace vmfs::xfs {

/// The contents of regular file `inode`. A list of extents is decoded at once; a tree of them is walked as
/// the file is read, through the cache of metadata blocks. Errors: EUCLEAN, EOPNOTSUPP (its blocks are in the
/// realtime section).
[[nodiscard]] Result<std::shared_ptr<const Source>> open_file(std::shared_ptr<const Volume> volume,
                                                              const InodeCore& inode);

}  // namespace vmfs::xfs
