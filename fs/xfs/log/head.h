// SPDX-License-Identifier: MIT
#pragma once

#include "fs/xfs/log/ring.h"

namespace vmfs::xfs {

/// Finds where the next record would be written, by the cycle numbers of the blocks (xlog_find_head()). Block
/// 0 if nothing was ever written. Errors: EUCLEAN, naming the block; EIO.
[[nodiscard]] Result<std::uint64_t> find_log_head(const Ring& ring, const Geometry& geometry);

}  // namespace vmfs::xfs
