// SPDX-License-Identifier: MIT
#pragma once

#include "fs/filesystem.h"
#include "fs/xfs/volume.h"

namespace vmfs::xfs {

/// As Filesystem::usage(), with the numbers of the kernel's read-only mount. The superblock's counters are
/// right after a clean unmount (`clean`) and where every change is counted; else those of the allocation
/// groups are summed up.
[[nodiscard]] Usage count_usage(const Volume& volume, bool clean);

}  // namespace vmfs::xfs
