// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fs/mount/mount_options.h"

namespace vmfs {

/// What a server needs done and may not do itself once it reads an image: a process of its own that mounts at
/// one place, unmounts what it mounted, and writes to the system's log. It knows the image by name only.
/// `umount` finds it as the server, for it ends after the one that started it.
class Mounter {
 public:
  /// Starts the process. `source` is what /proc/mounts names as the device. Call it before any thread is
  /// started. Errors: of fork(2) and socketpair(2).
  [[nodiscard]] static Result<std::unique_ptr<Mounter>> start(const std::filesystem::path& mountpoint,
                                                              const std::string& source,
                                                              const MountOptions& options);

  /// The process ends when this one has.
  ~Mounter();
  Mounter(const Mounter&) = delete;
  Mounter& operator=(const Mounter&) = delete;

  /// Mounts: directly as root or inside a user namespace, through fusermount3 else. Returns the connection to
  /// the kernel, which is the caller's; every access waits until somebody answers there. Should this process
  /// end before serving() the mount goes. Errors: ENOENT, ENOTDIR, EACCES, EPERM with the reason and what to
  /// do.
  [[nodiscard]] Result<int> mount();

  /// From now on, should this process end without unmount() or gone(), the mount stays, a dead one, unless
  /// `auto_unmount` was asked for.
  void serving();

  /// Takes the mount away, even if it is in use. Errors: EPERM, EIO.
  [[nodiscard]] Result<void> unmount();

  /// Somebody else has taken it away.
  void gone();

  /// Writes a line to the system's log. From any thread.
  void log(std::string_view message) const;

 private:
  explicit Mounter(int socket) : socket_(socket) {}

  const int socket_;
};

}  // namespace vmfs
