// SPDX-License-Identifier: MIT
#include "launcher/container/sealed_program.h"

#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/fd.h"

namespace vmfs {
namespace {

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool copy_program(const Fd& program, const Fd& copy) {
  struct stat status{};
  if (::fstat(program.get(), &status) != 0) return false;
  off_t offset = 0;
  while (offset < status.st_size) {
    const auto rest = static_cast<std::size_t>(status.st_size - offset);
    if (::sendfile(copy.get(), program.get(), &offset, rest) <= 0) return false;
  }
  return true;
}

}  // namespace

void run_from_sealed_copy() {
  const Fd program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  // Root of a container that root starts is nobody outside.
  if (!program || ::geteuid() == 0) return;
  if (::fcntl(program.get(), F_GET_SEALS) == all_seals) {
    ::prctl(PR_SET_NAME, "vmfs");  // it had the number of a descriptor
    return;
  }
  if (::access("/proc/self/exe", W_OK) != 0) return;
  const Fd copy(::memfd_create("vmfs", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy || !copy_program(program, copy) || ::fcntl(copy.get(), F_ADD_SEALS, all_seals) != 0) return;
  std::string words = read_text("/proc/self/cmdline");
  std::vector<char*> arguments;
  for (std::size_t begin = 0; begin < words.size(); begin = words.find('\0', begin) + 1) {
    arguments.push_back(&words[begin]);
  }
  arguments.push_back(nullptr);
  ::fexecve(copy.get(), arguments.data(), environ);
}

}  // namespace vmfs
