// SPDX-License-Identifier: MIT
#pragma once

#include "fs/ext4/orphans.h"
#include "fs/ext4/volume.h"
#include "fs/filesystem.h"

namespace vmfs::ext4 {

/// What statfs(2) says, computed as the kernel's ext4_statfs() does. Never fails: a journal
/// that cannot be read counts as none.
[[nodiscard]] Result<Usage> compute_usage(const Volume& volume, const Superblock& superblock,
                                          const Freed& freed);

}  // namespace vmfs::ext4
