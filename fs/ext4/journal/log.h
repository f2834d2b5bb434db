// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "fs/ext4/journal/journal.h"

namespace vmfs::ext4 {

/// The number of the first transaction that is not to be replayed: the one behind the last whole one. Stops
/// where the kernel's recovery stops (pass SCAN of fs/jbd2/recovery.c). REQUIRES: !journal.empty().
/// Errors: EBADMSG (a wrong checksum in front of transactions that were committed later), EUCLEAN, EIO.
[[nodiscard]] Result<std::uint32_t> find_end(const Journal& journal);

/// A block of the log that is no copy of a block of the file system.
struct LogBlock {
  JournalBlockType type{};
  std::uint32_t sequence = 0;        ///< of its transaction
  std::uint32_t index = 0;           ///< where in the journal
  std::span<const std::byte> bytes;  ///< valid during the visit only
};

/// Visits the descriptor and revoke blocks of all transactions before `end`, as find_end() gave it, in order.
/// Errors: those of `visit`; EBADMSG, EUCLEAN, EIO.
[[nodiscard]] Result<void> walk_log(const Journal& journal, std::uint32_t end,
                                    const std::function<Result<void>(const LogBlock&)>& visit);

/// The part of a revoke block that holds records. Errors: EUCLEAN (`r_count`).
[[nodiscard]] Result<std::span<const std::byte>> revoke_records(const Journal& journal,
                                                                const LogBlock& block);

}  // namespace vmfs::ext4
