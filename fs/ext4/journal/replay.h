// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "formats/overlay_source.h"
#include "fs/ext4/journal/journal.h"

namespace vmfs::ext4 {

/// What a replay did.
struct Replay {
  std::uint32_t end = 0;           ///< number of the transaction behind the last one
  std::uint32_t transactions = 0;  ///< replayed
  std::uint64_t blocks = 0;        ///< of the file system that have another content now
};

/// Shows in `overlay`, which lies over the volume of the journal, each block of the whole transactions in the
/// log at its place: it then lives where it lies in the journal. REQUIRES: !journal.empty().
/// Errors, all of which the kernel would not mount either: EBADMSG (checksum), EUCLEAN, EIO, EFBIG.
[[nodiscard]] Result<Replay> replay_log(const Journal& journal, std::uint64_t block_count,
                                        OverlaySource& overlay);

}  // namespace vmfs::ext4
