// SPDX-License-Identifier: MIT
#include "launcher/container/runtime_folder.h"

#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

bool is_own_directory(const std::string& path) {
  struct stat status{};
  return path.starts_with('/') && ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

std::string choose() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  const char* const variable = std::getenv("XDG_RUNTIME_DIR");
  if (variable != nullptr && is_own_directory(variable)) return std::string(variable) + "/vmfs";
  const std::string uid = std::to_string(::geteuid());
  if (is_own_directory("/run/user/" + uid)) return "/run/user/" + uid + "/vmfs";
  if (::geteuid() == 0 && ::access("/run", W_OK) == 0) return "/run/vmfs";
  return "/tmp/vmfs-" + uid;
}

}  // namespace

Result<std::string> runtime_folder() {
  std::string path = choose();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed_call(path, errno);
  struct stat status{};
  if (!is_own_directory(path) || ::lstat(path.c_str(), &status) != 0 || (status.st_mode & 077) != 0) {
    return fail(
        EPERM, "{}: not a folder that is yours alone; remove it, or set XDG_RUNTIME_DIR to a folder of yours",
        path);
  }
  return path;
}

}  // namespace vmfs
