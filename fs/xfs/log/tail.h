// SPDX-License-Identifier: MIT
#pragma once

#include "fs/xfs/log/record.h"

namespace vmfs::xfs {

/// The part of the log that holds changes which may not be in their place yet.
struct LogExtent {
  std::uint64_t tail = 0;  ///< block of the first record
  std::uint64_t head = 0;  ///< block behind the last one; the same: there is nothing to replay
  bool clean = true;       ///< it ends with the record of an unmount, or was never written

  [[nodiscard]] bool empty() const { return clean || tail == head; }
};

/// Finds it (xlog_find_tail()): the head by the cycle numbers of the blocks, back to before a record that was
/// not written to its end (by its checksum, if those are looked at); the tail by what the last record says.
/// Errors: EUCLEAN, naming the block; EIO.
[[nodiscard]] Result<LogExtent> find_log_extent(const Ring& ring, const Geometry& geometry, bool check_crc);

}  // namespace vmfs::xfs
