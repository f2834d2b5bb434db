// SPDX-License-Identifier: MIT
#pragma once

#include "fs/guest/guest.h"

namespace vmfs {

/// Every volume that can be read, as a directory of its name: "p1"; the logical volume "GROUP/VOLUME" is the
/// directory VOLUME in GROUP. What cannot be read is left out, with a warning where it is known what it is.
/// Errors: EOPNOTSUPP (no volume can be read).
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> all_volumes(const Disk& disk, const Warn& warn);

}  // namespace vmfs
