// SPDX-License-Identifier: MIT
#include "launcher/container/namespaces.h"

#include <cerrno>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

// The user namespace gives the right to enter the others; with the mount namespace the machine's files go.
constexpr const char* names[namespace_count] = {"user", "pid", "ipc", "uts", "net", "cgroup", "mnt"};

std::string own_path(const char* name) {
  return std::string("/proc/self/ns/") + name;
}

// Then there is nothing to enter, and often no right to.
bool is_own(const Fd& space, const char* name) {
  struct stat theirs{};
  struct stat ours{};
  return ::fstat(space.get(), &theirs) == 0 && ::stat(own_path(name).c_str(), &ours) == 0 &&
         theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

}  // namespace

Result<std::vector<Fd>> open_own_namespaces() {
  std::vector<Fd> namespaces;
  for (const char* name : names) {
    namespaces.emplace_back(::open(own_path(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!namespaces.back()) return failed_call(own_path(name), errno);
  }
  return namespaces;
}

Result<void> join_namespaces(std::span<const Fd> namespaces) {
  if (namespaces.size() != std::size(names)) return failed_call("namespaces", EPROTO);
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (is_own(namespaces[i], names[i]) || ::setns(namespaces[i].get(), 0) == 0) continue;
    const int code = errno;
    return fail(code, "{} namespace of the container: {}{}", names[i], describe_errno(code),
                code == EPERM ? "; only who started it can, and where it was started" : "");
  }
  return {};
}

Result<void> become_root(bool set_groups) {
  if (::setresgid(0, 0, 0) != 0) return failed_call("user namespace: setresgid", errno);
  if (set_groups && ::setgroups(0, nullptr) != 0) return failed_call("user namespace: setgroups", errno);
  if (::setresuid(0, 0, 0) != 0) return failed_call("user namespace: setresuid", errno);
  return {};
}

}  // namespace vmfs
