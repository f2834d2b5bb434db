// SPDX-License-Identifier: MIT
#pragma once

#include "fs/guest/guest.h"

namespace vmfs {

/// Identifies a volume that has its `source` and opens its file system.
void open_volume(Volume& volume, const FilesystemOptions& options);

/// Puts together the logical volumes of all volumes that are LVM2 physical ones, adds them, and says on each
/// physical volume what it belongs to.
void add_logical_volumes(Disk& disk, const FilesystemOptions& options);

}  // namespace vmfs
