// SPDX-License-Identifier: MIT
#include "launcher/sandbox/filter.h"

#include <cerrno>
#include <vector>

#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"
#include "launcher/sandbox/filter_rules.h"

namespace vmfs {
namespace {

// Computed when the program is built: generate/seccomp_table.cc.
constexpr sock_filter filter_of_readers[] = {
#include "seccomp_read.inc"
};
constexpr sock_filter filter_of_servers[] = {
#include "seccomp_serve.inc"
};
constexpr sock_filter filter_of_copiers[] = {
#include "seccomp_copy.inc"
};

}  // namespace

std::span<const sock_filter> computed_sandbox_filter(Work work) {
  switch (work) {
    case Work::read:
      return filter_of_readers;
    case Work::serve:
      return filter_of_servers;
    case Work::copy:
      return filter_of_copiers;
  }
  return {};
}

Result<void> load_filter(Work work) {
  // A sanitizer starts a process of its own at the end, which calls what nobody lists.
  if constexpr (VMFS_HAS_SANITIZER) return {};
  const auto computed = computed_sandbox_filter(work);
  std::vector<sock_filter> filter(computed.begin(), computed.end());
  for (sock_filter& step : filter) {
    if (step.k == any_process) step.k = static_cast<std::uint32_t>(::getpid());
  }
  if (sys::seccomp_set_filter(filter) != 0) {
    return fail(errno, "system call filter: {}; the kernel must have CONFIG_SECCOMP_FILTER",
                describe_errno(errno));
  }
  return {};
}

}  // namespace vmfs
