// SPDX-License-Identifier: MIT
#include "launcher/container/seccomp.h"

#include <algorithm>
#include <cerrno>

#include "launcher/container/process.h"
#include "launcher/container/seccomp_rules.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// Computed when the program is built: generate/seccomp_table.cc.
constexpr sock_filter default_filter[] = {
#include "seccomp_default.inc"
};

Result<void> load(std::span<const sock_filter> filter) {
  // Whoever asks for no_new_privs does so alone: setuid programs have to work.
  if (sys::seccomp_set_filter(filter) != 0) return failed_call("seccomp filter", errno);
  return {};
}

}  // namespace

std::span<const sock_filter> computed_seccomp_filter(const Capabilities& capabilities) {
  if (deciding_capabilities(capabilities) == deciding_capabilities(default_capabilities()))
    return default_filter;
  return {};
}

Result<void> install_seccomp_filter(const Capabilities& capabilities) {
  if (const auto computed = computed_seccomp_filter(capabilities); !computed.empty()) return load(computed);
  return load(TRY(compile_seccomp_filter(capabilities)));
}

}  // namespace vmfs
