// SPDX-License-Identifier: MIT
#include "fs/mount/server.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "fs/mount/operations.h"
#include "fs/mount/session.h"

namespace vmfs {

void Server::SessionDeleter::operator()(fuse_session* session) const {
  ::fuse_session_destroy(session);
}

Server::Server(std::unique_ptr<Service> service) : service_(std::move(service)) {}

Server::~Server() {
  if (session_) ::fuse_remove_signal_handlers(session_.get());
}

Result<std::unique_ptr<Server>> Server::make(const Filesystem& filesystem, const MountOptions& options,
                                             Warn log) {
  MountOptions effective = options;
  effective.default_permissions = options.default_permissions || options.allow_other;
  std::unique_ptr<Server> server(
      new Server(std::make_unique<Service>(filesystem, effective, std::move(log))));
  server->session_.reset(
      make_session("image", effective, fuse_operations(), server->service_.get()).release());
  if (!server->session_) return fail(EINVAL, "libfuse does not know an option");
  if (::fuse_set_signal_handlers(server->session_.get()) != 0) return fail(EIO, "cannot set signal handlers");
  return server;
}

Result<Server::End> Server::serve(int connection) {
  if (::fuse_session_mount(session_.get(), fmt::format("/dev/fd/{}", connection).c_str()) != 0)
    return fail(EINVAL, "libfuse cannot serve on descriptor {}", connection);
  fuse_loop_config* config = ::fuse_loop_cfg_create();
  ::fuse_loop_cfg_set_max_threads(config, service_->options.max_threads);
  const int status = ::fuse_session_loop_mt(session_.get(), config);
  ::fuse_loop_cfg_destroy(config);
  ::fuse_remove_signal_handlers(session_.get());
  // Before anybody unmounts: that would wait for an answer.
  session_.reset();
  if (status < 0) {
    return fail(-status, "the connection to the kernel broke: {}", std::generic_category().message(-status));
  }
  return status > 0 ? End::signalled : End::unmounted;
}

}  // namespace vmfs
