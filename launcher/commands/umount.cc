// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/mount/mount_table.h"
#include "fs/mount/unmount.h"
#include "launcher/commands/commands.h"
#include "launcher/fd.h"

namespace vmfs {
namespace {

struct UmountCommand {
  std::string directory;
  bool lazy = false;
};

// How long an unmounted server may take to end: it has nothing left to write.
constexpr int patience_ms = 30'000;

// glibc 2.36 declares pidfd_open() without C linkage.
int open_process(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

std::unexpected<Error> refused(const UmountCommand& command, const MountEntry& entry, int code) {
  if (const auto below = find_mounts_below(entry.directory); !below.empty()) {
    return fail(EBUSY, "{}: in use by another mount, at {}; unmount that first", command.directory,
                below.back().string());
  }
  const auto users = find_users(entry.device);
  if (code == EBUSY || !users.empty()) {
    return fail(EBUSY, "{}: in use by {}; end them, or take it away under them with `vmfs umount --lazy {}`",
                command.directory,
                users.empty() ? "processes of other users (see `fuser -vm`)"
                              : fmt::format("{}", fmt::join(users, ", ")),
                command.directory);
  }
  if (code == ENOENT)
    return fail(code, "{}: fusermount3 is not installed (Debian: the package fuse3)", command.directory);
  return fail(code, "{}: cannot unmount: {}; only root and the user who mounted it may", command.directory,
              std::generic_category().message(code));
}

Result<int> umount(const UmountCommand& command) {
  const auto entry = TRY(find_mount(command.directory));
  if (!entry) return fail(EINVAL, "{}: not mounted", command.directory);
  // A user may give the mount another type by `subtype=`, but its server is one of ours.
  const pid_t server = find_server(entry->device);
  if (entry->type != "fuse.vmfs" && server == 0) {
    return fail(EINVAL, "{}: a mount of type {}, not ours; use umount(8)", command.directory, entry->type);
  }
  const Fd process(server > 0 && !command.lazy ? open_process(server) : -1);
  if (const int code = unmount(entry->directory, command.lazy); code != 0)
    return refused(command, *entry, code);
  if (process.get() < 0) return 0;
  pollfd wait{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, patience_ms) == 0) {
    return fail(ETIMEDOUT, "{}: unmounted, but the server (pid {}) still runs", command.directory, server);
  }
  return 0;
}

}  // namespace

Command add_umount(CommandLine line) {
  auto command = std::make_shared<UmountCommand>();
  line.argument("DIRECTORY", command->directory, "mount point");
  line.flag("-l,-z,--lazy", command->lazy,
            "detach now, clean up when it is not in use any more; do not wait");
  return [command] { return umount(*command); };
}

}  // namespace vmfs
