// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "formats/image.h"
#include "formats/qcow2/header.h"

namespace vmfs::qcow2 {

/// An internal snapshot with the way to its contents.
struct SnapshotEntry {
  Snapshot snapshot;
  Table l1;  ///< unchecked: use_snapshot() does
};

/// Reads the snapshot table. Errors: EUCLEAN for a table that is too large or passes the end of the file.
[[nodiscard]] Result<std::vector<SnapshotEntry>> read_snapshots(const Source& file, const Header& header);

/// The header as it was when the snapshot with the id (or else the name) `wanted` was taken: its L1 table,
/// checked, and its size of the disk. Errors: ENOENT; EUCLEAN.
[[nodiscard]] Result<Header> use_snapshot(const Source& file, Header header,
                                          const std::vector<SnapshotEntry>& snapshots,
                                          std::string_view wanted);

}  // namespace vmfs::qcow2
