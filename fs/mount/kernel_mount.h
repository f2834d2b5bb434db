// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "fs/mount/mount_options.h"
#include "fs/mount/mount_table.h"

namespace vmfs {

/// A mount that waits for its server.
struct KernelMount {
  MountEntry entry;
  int connection = -1;  ///< to the kernel, an open /dev/fuse; the caller's
};

/// Mounts: directly as root or inside a user namespace, through fusermount3 else, and marks this process as
/// the server. `source` is what /proc/mounts names as the device. Errors: ENOENT, ENOTDIR, EACCES, EPERM with
/// the reason and what to do.
[[nodiscard]] Result<KernelMount> mount_at(const std::filesystem::path& mountpoint, const std::string& source,
                                           const MountOptions& options);

}  // namespace vmfs
