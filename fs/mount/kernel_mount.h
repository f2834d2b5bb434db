// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

#include "fs/mount/mount_options.h"
#include "fs/mount/session.h"

namespace vmfs {

/// A mount that waits for its server.
struct KernelMount {
  std::filesystem::path directory;  ///< without symbolic links
  dev_t device = 0;                 ///< the file system's number
  int connection = -1;              ///< to the kernel, an open /dev/fuse; the caller's
};

/// All that a mount needs, looked up before there is something to show.
class MountPlan {
 public:
  /// `source` is what /proc/mounts names as the device. Errors: ENOENT, ENOTDIR, EACCES, EBUSY, EPERM with
  /// the reason and what to do.
  [[nodiscard]] static Result<MountPlan> make(const std::filesystem::path& mountpoint,
                                              const std::string& source, const MountOptions& options);

  /// Mounts: directly as root or inside a user namespace, through fusermount3 else, and marks this process as
  /// the server. Call it once. Errors: EPERM with what the kernel or fusermount3 says, and what to do.
  [[nodiscard]] Result<KernelMount> carry_out();

 private:
  MountPlan(std::filesystem::path mountpoint, std::filesystem::path target, Session session)
      : mountpoint_(std::move(mountpoint)), target_(std::move(target)), session_(std::move(session)) {}

  std::filesystem::path mountpoint_;  ///< as it was given
  std::filesystem::path target_;      ///< without symbolic links
  Session session_;
};

}  // namespace vmfs
