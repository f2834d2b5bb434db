// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include <linux/filter.h>
#include <sys/types.h>

namespace vmfs::sys {

// System calls that glibc 2.36 has no usable wrapper for. All return -1 and set errno as wrappers do.

/// pidfd_open(2); the descriptor is close-on-exec.
[[nodiscard]] int pidfd_open(pid_t process);

/// pidfd_send_signal(2) without siginfo.
int pidfd_send_signal(int process, int signal);

/// pivot_root(2).
[[nodiscard]] int pivot_root(const char* new_root, const char* old_root);

/// openat2(2) with RESOLVE_* in `resolve`; the descriptor is close-on-exec.
[[nodiscard]] int openat2(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve);

/// seccomp(2) SECCOMP_SET_MODE_FILTER for the calling thread.
[[nodiscard]] int seccomp_set_filter(std::span<const sock_filter> filter);

/// fork(2) with CLONE_* flags: 0 in the child. Call it while there is one thread only, and start none in the
/// child.
[[nodiscard]] pid_t fork_with(std::uint64_t flags);

}  // namespace vmfs::sys
