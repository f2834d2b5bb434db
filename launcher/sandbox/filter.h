// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include <linux/filter.h>

#include "launcher/sandbox/sandbox.h"

// Whether the program carries a sanitizer, which calls the kernel for itself: g++ and clang++ say it
// differently.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VMFS_HAS_SANITIZER 1
#elif defined(__has_feature)
#define VMFS_HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define VMFS_HAS_SANITIZER 0
#endif

namespace vmfs {

/// The filter as the program was built with it, any_process in the place of the process.
[[nodiscard]] std::span<const sock_filter> computed_sandbox_filter(Work work);

/// Loads the system call filter of a process that does `work`; it has no_new_privs. Errors: those of
/// seccomp(2).
[[nodiscard]] Result<void> load_filter(Work work);

}  // namespace vmfs
