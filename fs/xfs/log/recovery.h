// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fs/xfs/log/item_format.h"
#include "fs/xfs/superblock.h"

namespace vmfs::xfs {

/// Whether an internal log holds changes that are not yet where they belong. Reads a few blocks.
/// Errors: EUCLEAN (where a log that is not clean is damaged, its place), EIO.
[[nodiscard]] Result<bool> log_is_dirty(const Source& volume, const Geometry& geometry, bool check_crc);

/// Something that was begun in one transaction, to be done in later ones.
struct Intent {
  LogItemType type{};
  std::vector<std::vector<std::byte>> regions;  ///< the first has at least an IntentHead
};

/// A volume whose log was replayed.
struct Recovered {
  std::shared_ptr<const Source> volume;  ///< the same as before if the log is clean
  bool dirty = false;
  std::uint64_t transactions = 0;
  /// What is left to do of that a reader would see: changes of block maps and attributes, in the log's order.
  /// (Space to be freed, reverse maps, reference counts and quotas are nothing a reader sees.)
  std::vector<Intent> unfinished;
};

/// Replays an internal log as the kernel does, in memory: the result is the volume with what the log holds in
/// its place. Keeps in memory what changes, at most 16 times the replayed part of the log and 64 MiB more.
/// Errors: EUCLEAN (damaged; says where), EOPNOTSUPP (another byte order, unknown features), EIO.
[[nodiscard]] Result<Recovered> recover_log(std::shared_ptr<const Source> volume, const Geometry& geometry,
                                            bool check_crc);

}  // namespace vmfs::xfs
