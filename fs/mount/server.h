// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "fs/filesystem.h"
#include "fs/mount/mount_options.h"

struct fuse_session;

namespace vmfs {

struct Service;

/// A file system shown to the kernel by this process.
class Server {
 public:
  /// How serve() ended.
  enum class End : std::uint8_t {
    unmounted,  ///< the mount is gone
    signalled,  ///< it is still there
  };

  /// A server of a mount that has max_read and default_permissions as `options` have them. From here on
  /// SIGINT, SIGTERM and SIGHUP are for serve(), so that no mount can be left without it. The file system
  /// must outlive the server. Opens no file, as all that follows. Errors: EINVAL, EIO.
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
  struct SessionDeleter {
    void operator()(fuse_session* session) const;
  };

  explicit Server(std::unique_ptr<Service> service);

  const std::unique_ptr<Service> service_;
  std::unique_ptr<fuse_session, SessionDeleter> session_;
};

}  // namespace vmfs
