// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "fs/filesystem.h"

namespace vmfs {

/// The files that were read last, ready to be mapped. The kernel does not tell us of opens and closes (it
/// need not ask, so it does not), hence a read names an inode only and this table stands in for handles. A
/// slot per hash value: bounded without bookkeeping, and two files that share a slot cost a reopen, no more.
/// Safe for concurrent use by multiple threads.
class OpenFiles {
 public:
  explicit OpenFiles(const Filesystem& filesystem) : filesystem_(filesystem) {}

  /// The contents of a regular file; errors as Filesystem::open().
  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode inode);

 private:
  struct Slot {
    std::mutex mutex;
    Inode inode{};
    std::shared_ptr<const Source> source;
  };
  static constexpr std::size_t slot_count = 256;

  const Filesystem& filesystem_;
  std::array<Slot, slot_count> slots_;
};

}  // namespace vmfs
