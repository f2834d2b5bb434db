// SPDX-License-Identifier: MIT
#pragma once

#include "fs/guest/guest.h"

namespace vmfs {

/// Identifies a volume that has its `source`; where there is nothing to be opened, its `error` says so.
void identify(Volume& volume);

/// Puts together the logical volumes of all volumes that are LVM2 physical ones, adds and identifies them,
/// and says on each physical volume what it belongs to.
void add_logical_volumes(Disk& disk, const Warn& warn);

}  // namespace vmfs
