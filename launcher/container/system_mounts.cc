// SPDX-License-Identifier: MIT
#include "launcher/container/system_mounts.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/mounts.h"
#include "launcher/container/process.h"

namespace vmfs {
namespace {

using Kind = PendingMount::Kind;

constexpr std::uint64_t no_suid = MOUNT_ATTR_NOSUID;
constexpr std::uint64_t no_programs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

constexpr gid_t tty_group = 5;  // of every distribution; devpts(5) wants it where it exists

constexpr const char* device_names[] = {"null", "zero", "full", "random", "urandom", "tty"};

// The kernel shows these for the whole machine: podman's lists.
constexpr const char* masked_paths[] = {
    "/proc/acpi",       "/proc/asound",        "/proc/interrupts",  "/proc/kcore",
    "/proc/keys",       "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
    "/proc/timer_list", "/proc/timer_stats",   "/sys/dev/block",    "/sys/devices/virtual/powercap",
    "/sys/firmware",    "/sys/fs/selinux",
};
constexpr const char* read_only_paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger"};

Result<Fd> new_proc() {
  auto proc = new_mount("proc", {}, no_programs);
  if (!proc && proc.error().code == EPERM) {
    return fail(EPERM,
                "{}: parts of /proc are covered by other mounts, so this machine is a container itself; have "
                "it started with an unmasked /proc (podman: --security-opt unmask=ALL)",
                proc.error().what);
  }
  return proc;
}

// The kernel's own tree for our network namespace; where that is the machine's, only the machine's will do.
Result<Fd> new_sys() {
  auto sysfs = new_mount("sysfs", {}, no_programs | MOUNT_ATTR_RDONLY);
  if (!sysfs && sysfs.error().code == EPERM) return bind_mount("/sys", no_programs | MOUNT_ATTR_RDONLY);
  return sysfs;
}

Result<Fd> new_devpts(const IdMaps& maps) {
  if (!outside_of(maps.groups, tty_group)) {
    return new_mount("devpts", {{"newinstance", ""}, {"mode", "0620"}, {"ptmxmode", "0666"}},
                     no_suid | MOUNT_ATTR_NOEXEC);
  }
  return new_mount(
      "devpts",
      {{"newinstance", ""}, {"mode", "0620"}, {"ptmxmode", "0666"}, {"gid", std::to_string(tty_group)}},
      no_suid | MOUNT_ATTR_NOEXEC);
}

Result<void> add_devices(std::vector<PendingMount>& mounts, const IdMaps& maps) {
  // Not writable by all: in a sticky directory that is, the kernel refuses to open other owners' files with
  // O_CREAT.
  mounts.emplace_back(TRY(new_mount("tmpfs", {{"mode", "0755"}, {"size", "65536k"}}, no_suid)), "/dev");
  for (const char* name : device_names) {
    const std::string path = std::string("/dev/") + name;
    mounts.emplace_back(TRY(bind_mount(path, no_suid | MOUNT_ATTR_NOEXEC)), path, Kind::file);
  }
  mounts.emplace_back(TRY(new_devpts(maps)), "/dev/pts");
  mounts.emplace_back(TRY(new_mount("tmpfs", {{"mode", "1777"}, {"size", "65536k"}}, no_programs)),
                      "/dev/shm");
  mounts.emplace_back(TRY(new_mount("mqueue", {}, no_programs)), "/dev/mqueue");
  return {};
}

// Optional in kernels, and in machines that have version 1 only.
void add_cgroup(std::vector<PendingMount>& mounts, bool writable) {
  auto cgroup = new_mount("cgroup2", {}, no_programs | (writable ? 0 : MOUNT_ATTR_RDONLY));
  if (cgroup) mounts.emplace_back(*std::move(cgroup), "/sys/fs/cgroup", Kind::existing);
}

bool is_directory(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// A symbolic link would put /proc where nobody covers what is in it.
Result<void> check_place(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
    return fail(ENOTDIR, "{} of the image is not a directory", path);
  return {};
}

Result<void> attach_pending(const PendingMount& pending) {
  if (pending.kind == Kind::file) return attach_file(pending.mount, pending.path);
  if (pending.kind == Kind::existing && !is_directory(pending.path)) return {};
  TRY(check_place(pending.path));
  return attach_directory(pending.mount, pending.path);
}

Result<void> link_devices() {
  constexpr std::pair<const char*, const char*> links[] = {{"/proc/self/fd", "/dev/fd"},
                                                           {"/proc/self/fd/0", "/dev/stdin"},
                                                           {"/proc/self/fd/1", "/dev/stdout"},
                                                           {"/proc/self/fd/2", "/dev/stderr"},
                                                           {"pts/ptmx", "/dev/ptmx"}};
  for (const auto& [target, path] : links) {
    if (::symlink(target, path) != 0) return failed_call(path, errno);
  }
  return {};
}

Result<void> mask(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  const Fd cover =
      TRY(S_ISDIR(status.st_mode) ? new_mount("tmpfs", {{"size", "0"}}, no_programs | MOUNT_ATTR_RDONLY)
                                  : bind_mount("/dev/null", MOUNT_ATTR_RDONLY));
  return attach(cover, path);
}

Result<void> protect(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return {};
  const Fd same = TRY(bind_mount(path, no_programs | MOUNT_ATTR_RDONLY));
  return attach(same, path);
}

}  // namespace

Result<std::vector<PendingMount>> make_system_mounts(const IdMaps& maps, const SystemNeeds& needs) {
  std::vector<PendingMount> mounts;
  mounts.emplace_back(TRY(new_proc()), "/proc");
  mounts.emplace_back(TRY(new_sys()), "/sys");
  add_cgroup(mounts, needs.boot && needs.group);
  TRY(add_devices(mounts, maps));
  const Kind kind = needs.boot ? Kind::directory : Kind::existing;
  mounts.emplace_back(TRY(new_mount("tmpfs", {{"mode", "0755"}}, no_suid | MOUNT_ATTR_NODEV)), "/run", kind);
  mounts.emplace_back(TRY(new_mount("tmpfs", {{"mode", "1777"}}, no_suid | MOUNT_ATTR_NODEV)), "/tmp", kind);
  if (needs.boot) {
    mounts.emplace_back(TRY(new_mount("tmpfs", {{"mode", "1777"}, {"size", "5120k"}}, no_programs)),
                        "/run/lock");
  }
  return mounts;
}

Result<void> attach_system_mounts(const std::vector<PendingMount>& mounts, bool masks) {
  for (const PendingMount& pending : mounts) TRY(attach_pending(pending));
  TRY(link_devices());
  if (!masks) return {};
  for (const char* path : masked_paths) TRY(mask(path));
  for (const char* path : read_only_paths) TRY(protect(path));
  return {};
}

}  // namespace vmfs
