// SPDX-License-Identifier: MIT
#include "launcher/container/image_server.h"

#include <cerrno>
#include <csignal>
#include <exception>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/mount/server.h"
#include "launcher/container/capabilities.h"
#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {
namespace {

Result<void> tell_of_root(const Filesystem& filesystem, const Fd& orders) {
  const Attributes root = TRY(filesystem.stat(filesystem.root()));
  const Ownership ownership{.uid = root.uid, .gid = root.gid, .mode = root.mode & 07777};
  // Whoever has started us has gone, or has said already what went wrong: no order will come.
  (void)::send(orders.get(), &ownership, sizeof ownership, MSG_NOSIGNAL);
  return {};
}

Result<void> read_and_serve(const Look& look, const MountOptions& options, const Fd& fuse, Report& report,
                            const std::function<void()>& ready, const Fd& orders) {
  TRY(bound_capabilities({}));
  TRY(enter_sandbox({.work = Work::serve, .threads = options.max_threads}));
  const GuestTree tree = TRY(look());
  const auto server = TRY(Server::make(tree.filesystem(), options, [](const std::string& message) {
    fmt::print(stderr, "vmfs: {}\n", message);
  }));
  ready();
  TRY(tell_of_root(tree.filesystem(), orders));
  char order = 0;
  if (::read(orders.get(), &order, 1) != 1) return {};
  report.close_writer();
  if (const auto end = server->serve(fuse.get()); !end) fmt::print(stderr, "vmfs: {}\n", end.error().what);
  return {};
}

}  // namespace

Result<ImageServer> ImageServer::start(const Look& look, const MountOptions& options, const Fd& fuse,
                                       Report& report, const Steps& steps) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failed_call("socketpair", errno);
  Fd orders(ends[0]);
  const Fd inner(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed_call("fork", errno);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    orders.reset();
    steps.begin();
    try {
      const auto served = read_and_serve(look, options, fuse, report, steps.ready, inner);
      if (!served) report.fail_with({exit_own_failure, served.error().what});
    } catch (const std::exception& error) {
      // What lies above belongs to the parent.
      report.fail_with({exit_own_failure, error.what()});
    }
    ::_exit(0);
  }
  return ImageServer(Fd(sys::pidfd_open(child)), std::move(orders));
}

Result<Ownership> ImageServer::await_root() const {
  Ownership root;
  if (::read(orders_.get(), &root, sizeof root) != sizeof root)
    return fail(ECHILD, "the image's server ended while it started");
  return root;
}

void ImageServer::serve() {
  // Where it is gone, its end is seen.
  (void)::send(orders_.get(), "", 1, MSG_NOSIGNAL);
  orders_.reset();
}

}  // namespace vmfs
