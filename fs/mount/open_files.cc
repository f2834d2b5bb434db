// SPDX-License-Identifier: MIT
#include "fs/mount/open_files.h"

namespace vmfs {

Result<std::shared_ptr<const Source>> OpenFiles::open(Inode inode) {
  Slot& slot = slots_[static_cast<std::uint64_t>(inode) % slot_count];
  {
    const std::lock_guard lock(slot.mutex);
    if (slot.source && slot.inode == inode) return slot.source;
  }
  auto source = TRY(filesystem_.open(inode));
  // What falls out of the slot is destroyed after the lock is released.
  auto kept = source;
  const std::lock_guard lock(slot.mutex);
  slot.inode = inode;
  slot.source.swap(kept);
  return source;
}

}  // namespace vmfs
