// SPDX-License-Identifier: MIT
#include "launcher/container/fuse_overlay.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/capabilities.h"
#include "launcher/container/mounts.h"
#include "launcher/container/process.h"
#include "launcher/container/report.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

constexpr const char* program = "fuse-overlayfs";
constexpr int fuse_number = 3;  // of its descriptor of /dev/fuse

// What changing files of any owner takes.
const Capabilities kept_capabilities = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
                                        CAP_FSETID, CAP_MKNOD,        CAP_SETFCAP};

// The kernel checks the modes of its files, and set-user-ID programs work, as with the kernel's overlayfs.
Result<Fd> mount_fuse(const Fd& fuse) {
  return new_mount("fuse",
                   {{"source", "overlay"},
                    {"subtype", program},
                    {"fd", std::to_string(fuse.get())},
                    {"rootmode", "40000"},
                    {"user_id", "0"},
                    {"group_id", "0"},
                    {"allow_other", ""},
                    {"default_permissions", ""}},
                   0);
}

Result<void> set_read_only(const std::string& path, bool read_only, bool all_below) {
  mount_attr change{};
  (read_only ? change.attr_set : change.attr_clr) = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, path.c_str(), all_below ? AT_RECURSIVE : 0, &change, sizeof change) != 0)
    return failed_call(path, errno);
  return {};
}

Result<void> confine(const std::vector<std::string>& writable) {
  TRY(set_read_only("/", true, true));
  for (const std::string& path : writable) TRY(set_read_only(path, false, false));
  TRY(bound_capabilities(kept_capabilities));
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

Result<void> install_descriptors(const Fd& fuse, const Fd& errors) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDIN_FILENO) < 0 || ::dup2(null.get(), STDOUT_FILENO) < 0 ||
      ::dup2(errors.get(), STDERR_FILENO) < 0) {
    return failed_call("standard streams", errno);
  }
  const Fd copy(::fcntl(fuse.get(), F_DUPFD, fuse_number + 1));
  if (!copy || ::dup2(copy.get(), fuse_number) < 0) return failed_call("/dev/fuse", errno);
  ::close_range(fuse_number + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  return {};
}

[[noreturn]] void be_fuse_overlay(const OverlayLayers& layers, const std::vector<std::string>& writable,
                                  const Fd& fuse, const Fd& errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(exit_own_failure);
  std::string options =
      fmt::format("lowerdir={},upperdir={},workdir={}", layers.lower, layers.upper, layers.work);
  std::string place = fmt::format("/dev/fd/{}", fuse_number);
  std::string words[] = {program, "-f", "-o", options, place};
  char* const arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                             words[3].data(), words[4].data(), nullptr};
  auto ready = confine(writable);
  if (ready) ready = install_descriptors(fuse, errors);
  if (ready) {
    ::execvp(program, arguments);
    ready = failed_call(program, errno);
  }
  const std::string& message = ready.error().what;
  if (::pwrite(errors.get(), message.data(), message.size(), 0) < 0) ::_exit(exit_not_executable);
  ::_exit(exit_own_failure);
}

// Makes one and lets go of it.
Result<void> try_overlay(const std::vector<std::pair<const char*, std::string>>& places) {
  const Fd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) return failed_call("overlayfs", errno);
  for (const auto& [name, path] : places) {
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, name, path.c_str(), 0) != 0)
      return failed_call("overlayfs", errno);
  }
  if (::fsconfig(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr, 0) != 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return failed_call("overlayfs", errno);
  }
  return {};
}

}  // namespace

Result<void> probe_overlayfs(const std::string& directory, const std::string& other) {
  return try_overlay({{"lowerdir", directory + ":" + other}});
}

Result<void> probe_overlayfs(const OverlayLayers& layers) {
  return try_overlay({{"lowerdir", layers.lower}, {"upperdir", layers.upper}, {"workdir", layers.work}});
}

Result<FuseOverlay> start_fuse_overlay(const OverlayLayers& layers,
                                       const std::vector<std::string>& writable) {
  if (!is_installed(program)) return fail(ENOENT, "{} is not installed", program);
  const Fd fuse(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fuse) return failed_call("/dev/fuse", errno);
  FuseOverlay overlay;
  overlay.mount = TRY(mount_fuse(fuse));
  overlay.errors = make_page(program);
  if (!overlay.errors) return failed_call("memfd_create", errno);
  const pid_t parent = ::getpid();
  // A mount namespace from the first moment on: this process is about to leave the machine's tree.
  const pid_t child = sys::fork_with(CLONE_NEWNS);
  if (child < 0) return failed_call("fork", errno);
  if (child == 0) be_fuse_overlay(layers, writable, fuse, overlay.errors, parent);
  overlay.process = Fd(sys::pidfd_open(child));
  return overlay;
}

Result<void> await_fuse_overlay(const FuseOverlay& overlay, const std::string& root) {
  struct stat status{};
  if (::stat(root.c_str(), &status) == 0) return {};
  const int code = errno;
  const std::string message = last_line(read_page(overlay.errors));
  return fail(code, "{}: {}", program, message.empty() ? describe_errno(code) : message);
}

}  // namespace vmfs
