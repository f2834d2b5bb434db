// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "fs/xfs/log/recovery.h"
#include "fs/xfs/volume.h"

namespace vmfs::xfs {

/// Does in memory what the log's intents say, in `volume.finished`. Before the volume is shared.
/// Returns how many were finished; what cannot be is warned of, with its inode.
[[nodiscard]] std::uint64_t finish_intents(Volume& volume, const std::vector<Intent>& intents,
                                           const Warn& warn);

}  // namespace vmfs::xfs
