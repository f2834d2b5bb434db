// SPDX-License-Identifier: MIT
// Prints the seccomp filter of containers with the default capabilities, as initialisers of sock_filter.
#include <cstdio>

#include "launcher/container/seccomp_rules.h"

int main() {
  const auto filter = vmfs::compile_seccomp_filter(vmfs::default_capabilities());
  if (!filter) {
    fmt::print(stderr, "{}\n", filter.error().what);
    return 1;
  }
  for (const sock_filter& step : *filter)
    fmt::print("{{{}, {}, {}, {}u}},\n", step.code, step.jt, step.jf, step.k);
  return 0;
}
