// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "fs/mount/mount_options.h"

namespace vmfs {

/// What a server needs done and may not do itself once it reads an image: a process of its own that mounts at
/// one place, unmounts what it mounted, and writes to the system's log. It knows the image by name only.
/// `umount` finds it as the server, for it ends after the one that started it.
class Mounter {
 public:
  /// The way to the process, which start() starts. Errors: of socketpair(2).
  [[nodiscard]] static Result<std::unique_ptr<Mounter>> create();

  /// Starts the process, for `server`: the caller, or a child of its that goes on with this object. `source`
  /// is what /proc/mounts names as the device. What can be found out about the mount point is found out at
  /// once, and said by mount(). Call it before any thread is started. Errors: of fork(2).
  [[nodiscard]] Result<void> start(pid_t server, const std::filesystem::path& mountpoint,
                                   const std::string& source, const MountOptions& options);

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
  Mounter(int socket, int other_end) : socket_(socket), other_end_(other_end) {}
  void close_other_end();

  const int socket_;
  int other_end_;  ///< the process's own
};

}  // namespace vmfs
