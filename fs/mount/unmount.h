// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace vmfs {

/// Ends the mount at `directory`, whether its server lives or not: by umount2(2), or through fusermount3
/// where we may not do that ourselves. `lazy`: detaches it at once and cleans up when nobody uses it any
/// more. Returns 0 or an errno: EBUSY, EPERM (also where fusermount3 refused, whatever its reason), ENOENT
/// (no fusermount3).
[[nodiscard]] int unmount(const std::filesystem::path& directory, bool lazy);

}  // namespace vmfs
