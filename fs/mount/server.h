// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "fs/filesystem.h"
#include "fs/mount/mount_options.h"
#include "fs/mount/request_loop.h"
#include "fs/mount/session.h"

namespace vmfs {

struct Service;

/// A file system shown to the kernel by this process.
class Server {
 public:
  using End = RequestLoop::End;

  /// A server of a mount that has max_read and default_permissions as `options` have them. From here on
  /// SIGINT, SIGTERM and SIGHUP are for serve(), so that no mount can be left without it. The file system
  /// must outlive the server. Opens no file, as all that follows. Errors: EINVAL.
  [[nodiscard]] static Result<std::unique_ptr<Server>> make(const Filesystem& filesystem,
                                                            const MountOptions& options, Warn log);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Answers the kernel on several threads, through an open /dev/fuse, until the mount is gone or a signal
  /// arrives; then closes that. Call it once. Errors: EIO where the connection to
  /// the kernel broke.
  [[nodiscard]] Result<End> serve(int connection);

 private:
  explicit Server(std::unique_ptr<Service> service);

  const std::unique_ptr<Service> service_;
  Session session_;
  std::optional<RequestLoop> loop_;
};

}  // namespace vmfs
