// SPDX-License-Identifier: MIT
#include "launcher/container/seccomp_rules.h"

#include <cerrno>
#include <memory>

#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/fd.h"

namespace vmfs {
namespace {

// Names that an architecture or libseccomp does not know are passed over.
constexpr const char* allowed_calls[] = {
    "_llseek",
    "_newselect",
    "accept",
    "accept4",
    "access",
    "adjtimex",
    "alarm",
    "arch_prctl",
    "arm_fadvise64_64",
    "arm_sync_file_range",
    "bind",
    "breakpoint",
    "brk",
    "cacheflush",
    "cachestat",
    "capget",
    "capset",
    "chdir",
    "chmod",
    "chown",
    "chown32",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "clone",
    "clone3",
    "close",
    "close_range",
    "connect",
    "copy_file_range",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_ctl_old",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "epoll_wait_old",
    "eventfd",
    "eventfd2",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fadvise64_64",
    "fallocate",
    "fanotify_mark",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchown32",
    "fchownat",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fork",
    "fremovexattr",
    "fsconfig",
    "fsetxattr",
    "fsmount",
    "fsopen",
    "fspick",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "fsync",
    "ftruncate",
    "ftruncate64",
    "futex",
    "futex_requeue",
    "futex_time64",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "futimesat",
    "get_robust_list",
    "get_thread_area",
    "getcpu",
    "getcwd",
    "getdents",
    "getdents64",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getgroups",
    "getgroups32",
    "getitimer",
    "getpeername",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresgid32",
    "getresuid",
    "getresuid32",
    "getrlimit",
    "getrusage",
    "getsid",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "getuid32",
    "getxattr",
    "getxattrat",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_setup",
    "io_submit",
    "ioctl",
    "ioprio_get",
    "ioprio_set",
    "ipc",
    "keyctl",
    "kill",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "lchown",
    "lchown32",
    "lgetxattr",
    "link",
    "linkat",
    "listen",
    "listmount",
    "listxattr",
    "listxattrat",
    "llistxattr",
    "lremovexattr",
    "lseek",
    "lsetxattr",
    "lstat",
    "lstat64",
    "madvise",
    "map_shadow_stack",
    "memfd_create",
    "memfd_secret",
    "mincore",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "mmap2",
    "modify_ldt",
    "mount",
    "mount_setattr",
    "move_mount",
    "mprotect",
    "mq_getsetattr",
    "mq_notify",
    "mq_open",
    "mq_timedreceive",
    "mq_timedreceive_time64",
    "mq_timedsend",
    "mq_timedsend_time64",
    "mq_unlink",
    "mremap",
    "mseal",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
    "name_to_handle_at",
    "nanosleep",
    "newfstatat",
    "open",
    "open_tree",
    "openat",
    "openat2",
    "pause",
    "pidfd_getfd",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe",
    "pipe2",
    "pivot_root",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "poll",
    "ppoll",
    "ppoll_time64",
    "prctl",
    "pread64",
    "preadv",
    "preadv2",
    "prlimit64",
    "process_mrelease",
    "pselect6",
    "pselect6_time64",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readdir",
    "readlink",
    "readlinkat",
    "readv",
    "reboot",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "remap_file_pages",
    "removexattr",
    "removexattrat",
    "rename",
    "renameat",
    "renameat2",
    "restart_syscall",
    "riscv_hwprobe",
    "rmdir",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_sigtimedwait_time64",
    "rt_tgsigqueueinfo",
    "s390_pci_mmio_read",
    "s390_pci_mmio_write",
    "s390_runtime_instr",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_rr_get_interval_time64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "seccomp",
    "select",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "semtimedop_time64",
    "send",
    "sendfile",
    "sendfile64",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_thread_area",
    "set_tid_address",
    "set_tls",
    "setfsgid",
    "setfsgid32",
    "setfsuid",
    "setfsuid32",
    "setgid",
    "setgid32",
    "setgroups",
    "setgroups32",
    "setitimer",
    "setpgid",
    "setpriority",
    "setregid",
    "setregid32",
    "setresgid",
    "setresgid32",
    "setresuid",
    "setresuid32",
    "setreuid",
    "setreuid32",
    "setrlimit",
    "setsid",
    "setsockopt",
    "setuid",
    "setuid32",
    "setxattr",
    "setxattrat",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
    "shutdown",
    "sigaction",
    "sigaltstack",
    "signal",
    "signalfd",
    "signalfd4",
    "sigpending",
    "sigprocmask",
    "sigreturn",
    "sigsuspend",
    "socketcall",
    "socketpair",
    "splice",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statmount",
    "statx",
    "symlink",
    "symlinkat",
    "sync",
    "sync_file_range",
    "sync_file_range2",
    "syncfs",
    "sysinfo",
    "syslog",
    "tee",
    "tgkill",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_gettime64",
    "timer_settime",
    "timer_settime64",
    "timerfd",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_gettime64",
    "timerfd_settime",
    "timerfd_settime64",
    "times",
    "tkill",
    "truncate",
    "truncate64",
    "ugetrlimit",
    "umask",
    "umount",
    "umount2",
    "uname",
    "unlink",
    "unlinkat",
    "unshare",
    "uretprobe",
    "utime",
    "utimensat",
    "utimensat_time64",
    "utimes",
    "vfork",
    "wait4",
    "waitid",
    "waitpid",
    "write",
    "writev",
};

// Known, and refused: old, dangerous, or of the machine. The error is EPERM, as of what is forbidden, not
// ENOSYS.
constexpr const char* refused_calls[] = {
    "add_key",        "bdflush",
    "io_pgetevents",  "io_pgetevents_time64",
    "io_uring_enter", "io_uring_register",
    "io_uring_setup", "kexec_file_load",
    "kexec_load",     "membarrier",
    "migrate_pages",  "move_pages",
    "nfsservctl",     "nice",
    "oldfstat",       "oldlstat",
    "oldolduname",    "oldstat",
    "olduname",       "pciconfig_iobase",
    "pciconfig_read", "pciconfig_write",
    "request_key",    "sgetmask",
    "ssetmask",       "swapcontext",
    "swapoff",        "swapon",
    "sysfs",          "uselib",
    "userfaultfd",    "ustat",
    "vm86",           "vm86old",
    "vmsplice",
};

struct Privileged {
  cap_value_t capability;
  const char* call;
};

// Allowed with the capability, refused without.
constexpr Privileged privileged_calls[] = {
    {CAP_DAC_READ_SEARCH, "open_by_handle_at"},
    {CAP_SYS_ADMIN, "bpf"},
    {CAP_SYS_ADMIN, "fanotify_init"},
    {CAP_SYS_ADMIN, "lookup_dcookie"},
    {CAP_SYS_ADMIN, "perf_event_open"},
    {CAP_SYS_ADMIN, "quotactl"},
    {CAP_SYS_ADMIN, "quotactl_fd"},
    {CAP_SYS_ADMIN, "setdomainname"},
    {CAP_SYS_ADMIN, "sethostname"},
    {CAP_SYS_ADMIN, "setns"},
    {CAP_SYS_CHROOT, "chroot"},
    {CAP_SYS_MODULE, "delete_module"},
    {CAP_SYS_MODULE, "finit_module"},
    {CAP_SYS_MODULE, "init_module"},
    {CAP_SYS_NICE, "get_mempolicy"},
    {CAP_SYS_NICE, "mbind"},
    {CAP_SYS_NICE, "set_mempolicy"},
    {CAP_SYS_PACCT, "acct"},
    {CAP_SYS_PTRACE, "kcmp"},
    {CAP_SYS_PTRACE, "process_madvise"},
    {CAP_SYS_PTRACE, "process_vm_readv"},
    {CAP_SYS_PTRACE, "process_vm_writev"},
    {CAP_SYS_PTRACE, "ptrace"},
    {CAP_SYS_RAWIO, "ioperm"},
    {CAP_SYS_RAWIO, "iopl"},
    {CAP_SYS_TIME, "clock_settime"},
    {CAP_SYS_TIME, "clock_settime64"},
    {CAP_SYS_TIME, "settimeofday"},
    {CAP_SYS_TIME, "stime"},
    {CAP_SYS_TTY_CONFIG, "vhangup"},
};

// personality(2) may be asked, and set to Linux's own with 32 bits or the old uname: nothing that weakens
// memory.
constexpr std::uint32_t harmless_personalities[] = {0x0, 0x0008, 0x20000, 0x20008, 0xffffffff};

constexpr int netlink_audit = 9;

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

Result<void> add_rule(const Filter& filter, std::uint32_t action, const char* call) {
  const int number = ::seccomp_syscall_resolve_name(call);
  if (number == __NR_SCMP_ERROR) return {};
  if (const int code = ::seccomp_rule_add(filter.get(), action, number, 0); code != 0 && code != -EDOM) {
    return failed_call(std::string("seccomp filter: ") + call, -code);
  }
  return {};
}

constexpr scmp_arg_cmp argument_is(unsigned argument, std::uint64_t value) {
  return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

constexpr scmp_arg_cmp argument_is_not(unsigned argument, std::uint64_t value) {
  return {.arg = argument, .op = SCMP_CMP_NE, .datum_a = value, .datum_b = 0};
}

Result<void> add_argument_rule(const Filter& filter, const char* call, const scmp_arg_cmp& argument) {
  if (const int code = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW,
                                                ::seccomp_syscall_resolve_name(call), 1, &argument);
      code != 0) {
    return failed_call(std::string("seccomp filter: ") + call, -code);
  }
  return {};
}

// The other instruction sets that this kernel runs: a filter that does not know one kills its programs.
void add_architectures(const Filter& filter) {
  const std::uint32_t native = ::seccomp_arch_native();
  if (native == SCMP_ARCH_X86_64) {
    ::seccomp_arch_add(filter.get(), SCMP_ARCH_X86);
    ::seccomp_arch_add(filter.get(), SCMP_ARCH_X32);
  } else if (native == SCMP_ARCH_AARCH64) {
    ::seccomp_arch_add(filter.get(), SCMP_ARCH_ARM);
  }
}

Result<void> add_rules(const Filter& filter, const Capabilities& capabilities) {
  for (const char* call : allowed_calls) TRY(add_rule(filter, SCMP_ACT_ALLOW, call));
  for (const char* call : refused_calls) TRY(add_rule(filter, SCMP_ACT_ERRNO(EPERM), call));
  for (const auto& [capability, call] : privileged_calls) {
    TRY(add_rule(filter, capabilities.contains(capability) ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM), call));
  }
  for (const std::uint32_t value : harmless_personalities) {
    TRY(add_argument_rule(filter, "personality", argument_is(0, value)));
  }
  // Everything but the kernel's audit log, which takes no user namespaces into account: EINVAL, as where it
  // is compiled out, and programs go on without.
  if (capabilities.contains(CAP_AUDIT_WRITE)) return add_rule(filter, SCMP_ACT_ALLOW, "socket");
  TRY(add_argument_rule(filter, "socket", argument_is_not(0, AF_NETLINK)));
  TRY(add_argument_rule(filter, "socket", argument_is_not(2, netlink_audit)));
  const scmp_arg_cmp audit[] = {argument_is(0, AF_NETLINK), argument_is(2, netlink_audit)};
  if (const int code =
          ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(socket), 2, audit);
      code != 0) {
    return failed_call("seccomp filter: socket", -code);
  }
  return {};
}

}  // namespace

Result<SeccompFilter> read_program(scmp_filter_ctx filter) {
  // libseccomp writes to a file only.
  const Fd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file) return failed_call("memfd_create", errno);
  if (const int code = ::seccomp_export_bpf(filter, file.get()); code != 0)
    return failed_call("seccomp filter", -code);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed_call("seccomp filter", errno);
  SeccompFilter program(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
  const std::size_t size = program.size() * sizeof(sock_filter);
  if (::pread(file.get(), program.data(), size, 0) != static_cast<ssize_t>(size))
    return failed_call("seccomp filter", EIO);
  return program;
}

Capabilities deciding_capabilities(const Capabilities& capabilities) {
  Capabilities deciding;
  for (const auto& [capability, call] : privileged_calls) {
    if (capabilities.contains(capability)) deciding.insert(capability);
  }
  if (capabilities.contains(CAP_AUDIT_WRITE)) deciding.insert(CAP_AUDIT_WRITE);
  return deciding;
}

Result<SeccompFilter> compile_seccomp_filter(const Capabilities& capabilities) {
  const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), ::seccomp_release);
  if (!filter) return failed_call("seccomp filter", ENOMEM);
  add_architectures(filter);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  TRY(add_rules(filter, capabilities));
  return read_program(filter.get());
}

}  // namespace vmfs
