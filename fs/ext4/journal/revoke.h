// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "fs/ext4/journal/log.h"

namespace vmfs::ext4 {

/// Blocks that were freed: their copies in the log up to that transaction are not to be replayed.
class RevokeTable {
 public:
  /// Keeps the records of a revoke block. Blocks must come in the log's order. Errors: EUCLEAN, EFBIG.
  [[nodiscard]] Result<void> add(const Journal& journal, const LogBlock& block);

  /// Ends the adding.
  void finish();

  /// Whether the copy of a block that transaction `sequence` logged is void. REQUIRES: finish() was called.
  [[nodiscard]] bool revoked(std::uint64_t block, std::uint32_t sequence) const;

 private:
  struct Record {
    std::uint64_t block;
    std::uint32_t sequence;  ///< the latest that revoked it
  };

  std::vector<Record> records_;  ///< after finish() one a block, in order
};

}  // namespace vmfs::ext4
