// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/container/seccomp_rules.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {

/// Stands in a computed filter for the process that loads it.
constexpr std::uint32_t any_process = 0x7e57c0de;

/// Computes the system call filter of a process that does `work`. Errors: those of libseccomp.
[[nodiscard]] Result<SeccompFilter> compile_sandbox_filter(Work work);

}  // namespace vmfs
