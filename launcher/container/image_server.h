// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "formats/result.h"
#include "fs/mount/mount_options.h"
#include "launcher/container/report.h"
#include "launcher/fd.h"
#include "launcher/files/guest_tree.h"

namespace vmfs {

/// Reads what is in the images, which are open: opens no file. Errors: as GuestTree::look().
using Look = std::function<Result<GuestTree>()>;

/// Who owns a directory, and its mode.
struct Ownership {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;  ///< permission bits
};

/// The child that reads a container's image, in a sandbox from before its first look into it. It ends with
/// the thread that starts it.
class ImageServer {
 public:
  /// Called in the child, which has the descriptors of its parent.
  struct Steps {
    std::function<void()> begin;  ///< before all else
    std::function<void()> ready;  ///< in the sandbox, when warnings of the image have been given
  };

  /// `fuse` is the connection to the kernel. What keeps the image from being read or served goes to the
  /// report. Call it while there is one thread only. Errors: of socketpair(2) and fork(2).
  [[nodiscard]] static Result<ImageServer> start(const Look& look, const MountOptions& options,
                                                 const Fd& fuse, Report& report, const Steps& steps);

  /// The root directory's, once the image is read. Errors: ECHILD where the child has ended, as the report
  /// may tell.
  [[nodiscard]] Result<Ownership> await_root() const;

  /// Has it answer the kernel, which has the mount by now.
  void serve();

  /// Readable once it has ended: a pidfd.
  [[nodiscard]] const Fd& process() const { return process_; }

 private:
  ImageServer(Fd process, Fd orders) : process_(std::move(process)), orders_(std::move(orders)) {}

  Fd process_;
  Fd orders_;
};

}  // namespace vmfs
