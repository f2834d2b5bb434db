// SPDX-License-Identifier: MIT
#include "fs/mount/kernel_mount.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/mount/mount_table.h"

namespace vmfs {
namespace {

// Everything written to standard error while this lives: libfuse and fusermount3 print, we want one line of
// our own.
class CapturedStderr {
 public:
  CapturedStderr()
      : file_(::memfd_create("stderr", MFD_CLOEXEC)), saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    if (file_ >= 0 && saved_ >= 0) ::dup2(file_, STDERR_FILENO);
  }
  ~CapturedStderr() {
    restore();
    if (file_ >= 0) ::close(file_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  /// The last line written; standard error is itself again.
  std::string last_line() {
    restore();
    std::string text(4096, '\0');
    const ssize_t length = file_ < 0 ? 0 : ::pread(file_, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    while (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    if (file_ >= 0) ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }

  const int file_;
  int saved_;
};

std::string describe(int code) {
  return std::generic_category().message(code);
}

Result<void> check_mountpoint(const std::filesystem::path& mountpoint) {
  struct statx status{};
  if (::statx(AT_FDCWD, mountpoint.c_str(), AT_NO_AUTOMOUNT, STATX_TYPE, &status) != 0) {
    const int code = errno;
    if (code == ENOTCONN) {
      return fail(code, "{}: a mount whose server is gone lies here; `vmfs umount {}` clears it",
                  mountpoint.string(), mountpoint.string());
    }
    return fail(code, "{}: {}", mountpoint.string(), describe(code));
  }
  if (!S_ISDIR(status.stx_mode))
    return fail(ENOTDIR, "{}: the mount point is not a directory", mountpoint.string());
  // Since Linux 5.8; to read the table takes longer.
  if ((status.stx_attributes_mask & ~status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return {};
  const auto below = TRY(find_mount(mountpoint));
  if (below && below->type.starts_with("fuse.")) {
    return fail(EBUSY, "{}: {} is mounted here already; `vmfs umount {}` takes it away", mountpoint.string(),
                below->source, mountpoint.string());
  }
  return {};
}

bool user_may_allow_other() {
  std::ifstream config("/etc/fuse.conf");
  for (std::string line; std::getline(config, line);) {
    if (line.starts_with("user_allow_other")) return true;
  }
  return false;
}

Result<void> check_permissions(const MountOptions& options) {
  if (::access("/dev/fuse", R_OK | W_OK) != 0) {
    const int code = errno;
    return fail(code, "/dev/fuse: {}; {}", describe(code),
                code == ENOENT ? "load the module with `modprobe fuse`, or give the container this device"
                               : "stock systems have it open to everybody: `chmod 0666 /dev/fuse` as root");
  }
  if (options.allow_other && ::geteuid() != 0 && !user_may_allow_other()) {
    return fail(EPERM, "-o allow_other: only root may, unless /etc/fuse.conf has a line `user_allow_other`");
  }
  return {};
}

// What usually stands behind a refused mount, by the words of fusermount3 and the errno of mount(2).
std::string advice(std::string_view message) {
  if (message.contains("fusermount3: No such file") || message.contains("failed to exec fusermount")) {
    return "; install fusermount3 (Debian: the package fuse3), or mount as root";
  }
  if (message.contains("no write access to mountpoint") || message.contains("not owned by user")) {
    return "; use a directory of your own";
  }
  if (message.contains("too many FUSE filesystems mounted")) return "; raise mount_max in /etc/fuse.conf";
  if (message.contains("Permission denied")) {
    return "; where AppArmor confines fusermount3 a mount point must lie under $HOME, /mnt, /media, /tmp or "
           "/run/user, or be "
           "allowed in /etc/apparmor.d/local/fusermount3";
  }
  if (message.contains("Operation not permitted")) {
    return "; fusermount3 must be setuid root, or run inside a user namespace with CAP_SYS_ADMIN";
  }
  return "";
}

}  // namespace

Result<MountPlan> MountPlan::make(const std::filesystem::path& mountpoint, const std::string& source,
                                  const MountOptions& options) {
  TRY(check_mountpoint(mountpoint));
  TRY(check_permissions(options));
  // libfuse mounts by this name, and fusermount3 follows no link.
  std::error_code code;
  auto target = std::filesystem::canonical(mountpoint, code);
  if (code) return fail(code.value(), "{}: {}", mountpoint.string(), code.message());
  CapturedStderr captured;
  Session session = make_session(source, options, {}, nullptr);
  if (!session) return fail(EINVAL, "{}: {}", mountpoint.string(), captured.last_line());
  return MountPlan(mountpoint, std::move(target), std::move(session));
}

Result<KernelMount> MountPlan::carry_out() {
  CapturedStderr captured;
  if (::fuse_session_mount(session_.get(), target_.c_str()) != 0) {
    const std::string message = captured.last_line();
    return fail(EPERM, "{}: cannot mount: {}{}", mountpoint_.string(), message, advice(message));
  }
  // Nobody answers requests yet; the number of the device needs none.
  struct statx status{};
  if (::statx(AT_FDCWD, target_.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &status) != 0)
    return fail(errno, "{}: mounted, but not to be seen: {}", mountpoint_.string(), describe(errno));
  const dev_t device = ::makedev(status.stx_dev_major, status.stx_dev_minor);
  TRY(mark_as_server(device));
  // The session goes, and its descriptor with it.
  const int connection = ::fcntl(::fuse_session_fd(session_.get()), F_DUPFD_CLOEXEC, 3);
  session_.reset();
  if (connection < 0) return fail(errno, "{}: {}", mountpoint_.string(), describe(errno));
  return KernelMount{.directory = target_, .device = device, .connection = connection};
}

}  // namespace vmfs
