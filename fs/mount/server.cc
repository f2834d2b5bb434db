// SPDX-License-Identifier: MIT
#include "fs/mount/server.h"

#include <cerrno>

#include <fmt/format.h>

#include "fs/mount/operations.h"

namespace vmfs {

Server::Server(std::unique_ptr<Service> service) : service_(std::move(service)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::make(const Filesystem& filesystem, const MountOptions& options,
                                             Warn log) {
  MountOptions effective = options;
  effective.default_permissions = options.default_permissions || options.allow_other;
  std::unique_ptr<Server> server(
      new Server(std::make_unique<Service>(filesystem, effective, std::move(log))));
  server->session_ = make_session("image", effective, fuse_operations(), server->service_.get());
  if (!server->session_) return fail(EINVAL, "libfuse does not know an option");
  server->loop_.emplace(server->session_.get(), options.max_threads);
  return server;
}

Result<Server::End> Server::serve(int connection) {
  if (::fuse_session_mount(session_.get(), fmt::format("/dev/fd/{}", connection).c_str()) != 0)
    return fail(EINVAL, "libfuse cannot serve on descriptor {}", connection);
  const auto end = loop_->run();
  // Before anybody unmounts: that would wait for an answer.
  session_.reset();
  return end;
}

}  // namespace vmfs
