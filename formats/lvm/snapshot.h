// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "formats/source.h"

namespace vmfs::lvm {

/// How much the exceptions of all snapshots together may take: time for their number, memory for those that
/// do not follow each other.
struct SnapshotBudget {
  std::uint64_t exceptions = 64U << 20;
  std::uint64_t runs = 4U << 20;
};

/// What a snapshot of the old kind shows: `origin`, but for the chunks that its exception store `cow` holds
/// (drivers/md/dm-snap-persistent.c). Reads all of the store's tables, at the expense of `budget`. Errors:
/// EUCLEAN; ESTALE for a snapshot that became invalid because its store was full; EOPNOTSUPP for its version;
/// EFBIG for more chunks than memory is spent on; EIO.
[[nodiscard]] Result<std::shared_ptr<const Source>> open_snapshot(std::shared_ptr<const Source> origin,
                                                                  std::shared_ptr<const Source> cow,
                                                                  SnapshotBudget& budget);

}  // namespace vmfs::lvm
