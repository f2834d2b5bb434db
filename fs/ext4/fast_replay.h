// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "fs/ext4/editor.h"
#include "fs/ext4/journal/journal.h"

namespace vmfs::ext4 {

/// What the replay of fast commits did.
struct FastReplay {
  std::uint64_t changes = 0;  ///< made
  std::uint64_t missing = 0;  ///< that cannot be made here: names in directories with inline data
  std::int64_t blocks = 0;    ///< more in use than before
  std::int64_t inodes = 0;    ///< likewise
};

/// Makes the changes of the journal's fast commits in memory, as the kernel's replay makes them; its times
/// come from the clock, ours stay those on the disk. New metadata takes block numbers of the journal, which
/// nobody reads. `transaction` is the one behind the last in the log. Errors: EUCLEAN, EBADMSG, ENOSPC, EIO.
[[nodiscard]] Result<FastReplay> replay_fast_commits(const Journal& journal, std::uint32_t transaction,
                                                     Editor& editor);

}  // namespace vmfs::ext4
