// SPDX-License-Identifier: MIT
#include "launcher/container/syscalls.h"

#include <csignal>

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmfs::sys {

// sys/pidfd.h of glibc 2.36 declares these two without C linkage.
int pidfd_open(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

int pidfd_send_signal(int process, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0));
}

int pivot_root(const char* new_root, const char* old_root) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, old_root));
}

int openat2(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int seccomp_set_filter(std::span<const sock_filter> filter) {
  // The kernel reads it only.
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = const_cast<sock_filter*>(filter.data())};
  // As runc does: before Linux 5.16 a filter slowed down all of its processes against guesses of the
  // processor.
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program));
}

pid_t fork_with(std::uint64_t flags) {
  clone_args arguments{};
  arguments.flags = flags;
  // The kernel takes the signal from the parent where the child becomes a sibling.
  arguments.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

}  // namespace vmfs::sys
