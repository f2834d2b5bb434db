// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "formats/result.h"

namespace vmfs {

/// Makes all files, addresses and other processes unreachable by landlock(7), but for what lies below these
/// directories, which stay as they are. Nothing happens where the kernel has no Landlock. Needs no_new_privs.
/// Errors: of the system calls.
[[nodiscard]] Result<void> restrict_paths(std::span<const int> directories);

}  // namespace vmfs
