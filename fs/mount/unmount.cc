// SPDX-License-Identifier: MIT
#include "fs/mount/unmount.h"

#include <cerrno>

#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmfs {
namespace {

int run_fusermount(const std::string& directory, bool lazy) {
  const char* const arguments[] = {"fusermount3",     "-u",   lazy ? "-qz" : "-q", "--",
                                   directory.c_str(), nullptr};
  pid_t child = 0;
  int status = 0;
  const int code =
      ::posix_spawnp(&child, arguments[0], nullptr, nullptr, const_cast<char* const*>(arguments), environ);
  if (code != 0) return code;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0 ? 0 : EPERM;
}

}  // namespace

int unmount(const std::filesystem::path& directory, bool lazy) {
  if (::umount2(directory.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) return 0;
  return errno == EPERM ? run_fusermount(directory.string(), lazy) : errno;
}

}  // namespace vmfs
