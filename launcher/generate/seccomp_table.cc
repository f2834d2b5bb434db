// SPDX-License-Identifier: MIT
// Prints a seccomp filter as initialisers of sock_filter:
//   seccomp_table default|read|serve|copy
// that of containers with the default capabilities, or that of the sandbox for a kind of work.
#include <cstdio>
#include <string_view>

#include "launcher/container/seccomp_rules.h"
#include "launcher/sandbox/filter_rules.h"

namespace {

vmfs::Result<vmfs::SeccompFilter> compile(std::string_view name) {
  if (name == "default") return vmfs::compile_seccomp_filter(vmfs::default_capabilities());
  if (name == "read") return vmfs::compile_sandbox_filter(vmfs::Work::read);
  if (name == "serve") return vmfs::compile_sandbox_filter(vmfs::Work::serve);
  if (name == "copy") return vmfs::compile_sandbox_filter(vmfs::Work::copy);
  return vmfs::fail(EINVAL, "no such filter: {}", name);
}

}  // namespace

int main(int argc, char** argv) {
  const auto filter = compile(argc == 2 ? argv[1] : "");
  if (!filter) {
    fmt::print(stderr, "seccomp_table: {}\n", filter.error().what);
    return 1;
  }
  for (const sock_filter& step : *filter)
    fmt::print("{{{}, {}, {}, {}u}},\n", step.code, step.jt, step.jf, step.k);
  return 0;
}
