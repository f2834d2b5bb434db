// SPDX-License-Identifier: MIT
#include "launcher/sandbox/filter_rules.h"

#include <cerrno>
#include <memory>
#include <span>

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

// Of whatever a process does: memory, threads that wait for each other, time, its end, and what is open.
// Names that an architecture does not have are passed over.
constexpr const char* of_all[] = {"brk",
                                  "clock_gettime",
                                  "clock_gettime64",
                                  "close",
                                  "exit",
                                  "exit_group",
                                  "fadvise64",
                                  "fstat",
                                  "fstat64",
                                  "ftruncate",
                                  "futex",
                                  "futex_time64",
                                  "getpid",
                                  "getrandom",
                                  "gettid",
                                  "gettimeofday",
                                  "lseek",
                                  "_llseek",
                                  "madvise",
                                  "mremap",
                                  "munmap",
                                  "nanosleep",
                                  "clock_nanosleep",
                                  "pread64",
                                  "preadv",
                                  "read",
                                  "readv",
                                  "restart_syscall",
                                  "rseq",
                                  "rt_sigaction",
                                  "rt_sigreturn",
                                  "rt_sigprocmask",
                                  "sched_yield",
                                  "set_robust_list",
                                  "sigaltstack",
                                  "sysinfo",
                                  "sched_getaffinity",
                                  "write",
                                  "writev"};

// The connection to the kernel, pipes to splice through, the helper, and the way to the background.
constexpr const char* of_servers[] = {"dup3",
                                      "getegid",
                                      "geteuid",
                                      "getgid",
                                      "getuid",
                                      "pipe2",
                                      "poll",
                                      "ppoll",
                                      "preadv2",
                                      "rt_sigtimedwait",
                                      "rt_sigtimedwait_time64",
                                      "recvmsg",
                                      "setsid",
                                      "splice",
                                      "vmsplice"};

// Files and their attributes, in directories that Landlock names.
constexpr const char* of_copiers[] = {
    "chmod",     "copy_file_range", "fchmod",   "fchmodat",  "fchown",     "fchownat",  "fremovexattr",
    "fsetxattr", "linkat",          "mkdirat",  "mknodat",   "newfstatat", "fstatat64", "openat",
    "openat2",   "pwrite64",        "setxattr", "symlinkat", "umask",      "unlinkat",  "utimensat"};

// fcntl(2): descriptors, and the size of a pipe.
constexpr unsigned pipe_and_flag_commands[] = {F_GETFD,         F_SETFD,      F_GETFL,
                                               F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ};

using Filter = std::unique_ptr<void, decltype(&::seccomp_release)>;

Result<void> check(int code, std::string_view name) {
  // EEXIST: the same rule twice.
  if (code < 0 && code != -EEXIST)
    return fail(-code, "system call filter: {}: {}", name, describe_errno(-code));
  return {};
}

template <class... Conditions>
Result<void> add(const Filter& filter, const char* name, std::uint32_t action, Conditions... conditions) {
  const int call = ::seccomp_syscall_resolve_name(name);
  if (call < 0) return {};
  return check(::seccomp_rule_add(filter.get(), action, call, sizeof...(conditions), conditions...), name);
}

Result<void> allow(const Filter& filter, std::span<const char* const> names) {
  for (const char* name : names) TRY(add(filter, name, SCMP_ACT_ALLOW));
  return {};
}

// An argument of a call, by its number.
scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t mask, std::uint64_t bits) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

// Calls that are harmless with some arguments only.
Result<void> allow_in_part(const Filter& filter) {
  // Memory never becomes program.
  for (const char* name : {"mmap", "mmap2", "mprotect"}) {
    TRY(add(filter, name, SCMP_ACT_ALLOW, has_bits(2, PROT_EXEC, 0)));
  }
  for (const unsigned command : pipe_and_flag_commands) {
    TRY(add(filter, "fcntl", SCMP_ACT_ALLOW, equals(1, command)));
    TRY(add(filter, "fcntl64", SCMP_ACT_ALLOW, equals(1, command)));
  }
  // isatty(3), and how wide a terminal is. TIOCSTI, which types into it, is not among them.
  for (const unsigned request : {unsigned{TCGETS}, unsigned{TIOCGWINSZ}})
    TRY(add(filter, "ioctl", SCMP_ACT_ALLOW, equals(1, request)));
  // fstat(3); a name could be given too, and tells no more than attributes.
  TRY(add(filter, "newfstatat", SCMP_ACT_ALLOW, has_bits(3, AT_EMPTY_PATH, AT_EMPTY_PATH)));
  TRY(add(filter, "statx", SCMP_ACT_ALLOW, has_bits(2, AT_EMPTY_PATH, AT_EMPTY_PATH)));
  // getrlimit(3), of a stack that is about to be made.
  TRY(add(filter, "prlimit64", SCMP_ACT_ALLOW, equals(2, 0)));
  // abort(3), and threads that are woken to end.
  return add(filter, "tgkill", SCMP_ACT_ALLOW, equals(0, any_process));
}

// Threads, no processes: the C library tries clone3(2) first, whose arguments no filter can see.
Result<void> allow_threads(const Filter& filter) {
  constexpr std::uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  constexpr std::uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  TRY(add(filter, "clone3", SCMP_ACT_ERRNO(ENOSYS)));
  return add(filter, "clone", SCMP_ACT_ALLOW, has_bits(0, thread | namespaces, thread));
}

Result<void> fill(const Filter& filter, Work work) {
  TRY(allow(filter, of_all));
  if (work == Work::serve) TRY(allow(filter, of_servers));
  // To no address of its own: to the other end alone.
  if (work == Work::serve) TRY(add(filter, "sendto", SCMP_ACT_ALLOW, equals(4, 0)));
  if (work == Work::copy) TRY(allow(filter, of_copiers));
  TRY(allow_in_part(filter));
  TRY(allow_threads(filter));
  // The C library does without: malloc(3) looks for /proc/sys/vm/overcommit_memory, libfuse for /dev/null.
  if (work != Work::copy) TRY(add(filter, "openat", SCMP_ACT_ERRNO(EACCES)));
  return add(filter, "open", SCMP_ACT_ERRNO(EACCES));
}

}  // namespace

Result<SeccompFilter> compile_sandbox_filter(Work work) {
  const Filter filter(::seccomp_init(SCMP_ACT_KILL_PROCESS), &::seccomp_release);
  if (!filter) return fail(ENOMEM, "system call filter: no memory");
  TRY(fill(filter, work));
  return read_program(filter.get());
}

}  // namespace vmfs
