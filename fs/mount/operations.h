// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include "fs/filesystem.h"
#include "fs/mount/fuse.h"
#include "fs/mount/mount_options.h"
#include "fs/mount/open_files.h"

namespace vmfs {

/// What the FUSE operations work on: the user data of a session.
struct Service {
  Service(const Filesystem& shown, MountOptions chosen, Warn warning)
      : filesystem(shown), options(std::move(chosen)), log(std::move(warning)), files(shown) {}

  const Filesystem& filesystem;
  const MountOptions options;
  const Warn log;  ///< called from any thread, one line a call
  OpenFiles files;

  /// What the kernel wants to be asked about each time; known when it has said what it can do.
  std::atomic<bool> asked_to_open = true;
  std::atomic<bool> asked_to_open_directories = true;

  /// Logs an error unless the same one was logged before; forgets nothing and takes in no more than a few
  /// hundred.
  void log_once(const Error& error);

 private:
  std::mutex mutex_;
  std::set<std::string> logged_;
};

/// The low-level operations of a read-only tree that never changes. Their user data is a `Service`.
[[nodiscard]] const fuse_lowlevel_ops& fuse_operations();

}  // namespace vmfs
