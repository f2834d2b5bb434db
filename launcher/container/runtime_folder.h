// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "formats/result.h"

namespace vmfs {

/// The folder for what a user's containers need while they run, made if missing: "vmfs" in $XDG_RUNTIME_DIR
/// or in /run/user/UID, if that is the user's own; else for root /run/vmfs, for others /tmp/vmfs-UID, which
/// nobody else can enter. Errors: EPERM where that folder is somebody else's or open to others.
[[nodiscard]] Result<std::string> runtime_folder();

}  // namespace vmfs
