// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "formats/source.h"
#include "fs/ext4/orphans.h"
#include "fs/ext4/superblock.h"

namespace vmfs::ext4 {

/// A file system after its recovery, in memory.
struct Recovery {
  std::shared_ptr<const Source> volume;  ///< what to read instead of the volume
  bool replayed = false;                 ///< whether there was a journal to replay
  bool journal_error = false;            ///< the journal says that the file system was found to be damaged
  std::uint32_t transactions = 0;        ///< replayed
  std::uint64_t blocks = 0;              ///< that the transactions changed
  std::uint64_t fast_changes = 0;        ///< of fast commits, made
  std::uint64_t missing_changes = 0;     ///< of fast commits, that cannot be made
  Freed freed{};                         ///< more than the group descriptors say
};

/// Whether the superblock says that there are transactions to replay.
[[nodiscard]] bool needs_recovery(const Superblock& superblock);

/// Whether the journal lies on a device of its own.
[[nodiscard]] bool has_external_journal(const Superblock& superblock);

/// Shows a file system as the kernel does after it replayed the journal and cleaned up orphans. An external
/// journal is looked for on `devices`; where it is on none of them, nothing is replayed. Nothing is written,
/// and no block is copied that lies in the journal. `superblock` is then the one to go by. Errors where the
/// kernel would not mount: EUCLEAN, EBADMSG, EFBIG, EOPNOTSUPP, EIO.
[[nodiscard]] Result<Recovery> recover(std::shared_ptr<const Source> volume,
                                       std::span<const std::shared_ptr<const Source>> devices,
                                       Superblock& superblock);

}  // namespace vmfs::ext4
