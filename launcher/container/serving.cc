// SPDX-License-Identifier: MIT
#include "launcher/container/serving.h"

#include <cerrno>
#include <csignal>
#include <iterator>
#include <tuple>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/mount/server.h"
#include "launcher/container/capabilities.h"
#include "launcher/container/namespaces.h"
#include "launcher/container/network.h"
#include "launcher/container/process.h"
#include "launcher/container/rootfs.h"
#include "launcher/container/syscalls.h"
#include "launcher/container/terminal.h"
#include "launcher/container/volumes.h"
#include "launcher/image_options.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {
namespace {

// What usually stands behind a refused user namespace.
std::string why_no_user_namespace(int code) {
  if (read_text("/proc/sys/kernel/unprivileged_userns_clone").starts_with('0')) {
    return "; `sysctl kernel.unprivileged_userns_clone=1` as root allows it";
  }
  if (read_text("/proc/sys/user/max_user_namespaces").starts_with('0')) {
    return "; `sysctl user.max_user_namespaces=10000` as root allows it";
  }
  if (read_text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").starts_with('1')) {
    return "; AppArmor restricts it: `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root, or a "
           "profile for "
           "vmfs with the rule `userns,`, allows it";
  }
  if (code == ENOSPC || code == EUSERS) return "; too many of them, see user_namespaces(7)";
  return "; inside another container this has to be allowed when that is started";
}

Result<void> enter_user_namespace(const Fd& channel) {
  if (::unshare(CLONE_NEWUSER) != 0) {
    const int code = errno;
    return fail(code, "user namespace: {}{}", describe_errno(code), why_no_user_namespace(code));
  }
  if (::write(channel.get(), &entered, sizeof entered) != sizeof entered)
    return failed_call("channel", errno);
  return {};
}

// While we still are who we were outside: a restricted device file knows that user, not the one inside.
Result<Fd> open_fuse() {
  Fd fuse(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (fuse) return fuse;
  const int code = errno;
  return fail(code, "/dev/fuse: {}; {}", describe_errno(code),
              code == EACCES ? "stock systems have it open to everybody: `chmod 0666 /dev/fuse` as root"
                             : "load the module with `modprobe fuse`, or give the container this device");
}

Result<void> await_ids(const Fd& channel) {
  char answer = 0;
  // Whoever waits for us has gone, or has said already what went wrong.
  if (::read(channel.get(), &answer, 1) != 1) ::_exit(exit_own_failure);
  return {};
}

Result<void> enter_other_namespaces(const Plan& plan) {
  constexpr std::pair<int, const char*> namespaces[] = {
      {CLONE_NEWNS, "mount"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}, {CLONE_NEWNET, "network"}};
  for (const auto& [flag, name] : namespaces) {
    if (flag == CLONE_NEWNET && plan.network.kind == Network::Kind::host) continue;
    if (::unshare(flag) != 0) {
      const int code = errno;
      return fail(code, "{} namespace: {}{}", name, describe_errno(code), why_no_user_namespace(code));
    }
  }
  return {};
}

// pasta(1) has to look at this process to find the network namespace; nobody else is here yet.
Result<void> get_network(const Plan& plan, const Fd& channel, Fd& carrier) {
  if (plan.network.kind == Network::Kind::host) return {};
  TRY(start_loopback());
  if (plan.network.kind == Network::Kind::none) return {};
  ::prctl(PR_SET_DUMPABLE, 1);
  if (::write(channel.get(), &entered, sizeof entered) != sizeof entered)
    return failed_call("channel", errno);
  pid_t process = 0;
  if (::read(channel.get(), &process, sizeof process) != sizeof process) ::_exit(exit_own_failure);
  ::prctl(PR_SET_DUMPABLE, 0);
  if (process > 0) carrier = Fd(sys::pidfd_open(process));
  return {};
}

Result<Fd> prepare(const Setup& setup, const Filesystem& filesystem, const Fd& channel, Fd& carrier) {
  TRY(enter_user_namespace(channel));
  Fd fuse = TRY(open_fuse());
  TRY(await_ids(channel));
  TRY(become_root(setup.maps.set_groups));
  TRY(enter_other_namespaces(setup.plan));
  die_with_parent(setup.lifeline);
  ::prctl(PR_SET_DUMPABLE, 0);
  TRY(get_network(setup.plan, channel, carrier));
  if (setup.volumes.empty()) setup.volumes = TRY(open_volumes(setup.plan));
  TRY(build_base(setup.plan, filesystem, fuse, setup.maps));
  setup.overlay = TRY(choose_overlay(setup.plan, print_warning));
  return fuse;
}

// What has to be put in order out there should the launcher be killed.
struct Outside {
  Group& group;
  Fd carrier;   // process that carries packets
  Fd terminal;  // the caller's, as it was before its keys went to the container
  std::optional<termios> settings;

  // It is empty once the container has ended.
  void remove_group(pollfd container) const {
    while (group && ::poll(&container, 1, -1) < 0 && errno == EINTR) {
    }
    group.remove();
  }

  void restore_terminal() const {
    if (settings) ::tcsetattr(terminal.get(), TCSANOW, &*settings);
  }

  void forget_terminal() {
    settings.reset();
    terminal.reset();
  }
};

constexpr int patience_with_the_dead_ms = 1000;  // who was killed ends at once, or hangs in the kernel

bool ends_within(int process, int milliseconds) {
  pollfd ended{.fd = process, .events = POLLIN, .revents = 0};
  int status = 0;
  while ((status = ::poll(&ended, 1, milliseconds)) < 0 && errno == EINTR) {
  }
  return status > 0;
}

// fuse-overlayfs(1) ends once the container's mounts are gone, and all changes written. A command that was
// stopped on its way into the container keeps them.
void await_last_changes(int overlay) {
  constexpr int patience_ms = 10'000;
  if (overlay >= 0) (void)ends_within(overlay, patience_ms);
}

// A container that still starts sees it too, and tells why.
void tell_of_lost_overlay(int container) {
  constexpr int patience_ms = 1000;
  if (!ends_within(container, patience_ms)) fmt::print(stderr, "vmfs: fuse-overlayfs has ended\n");
}

// Returns when the container has ended or one who serves it, having ended all of them when nobody waits for
// them any more: the exit status of this process.
int watch_over(int container, int server, int overlay, int lifeline, Outside& outside) {
  pollfd watched[] = {{.fd = container, .events = POLLIN, .revents = 0},
                      {.fd = lifeline, .events = POLLIN, .revents = 0},
                      {.fd = server, .events = POLLIN, .revents = 0},
                      {.fd = overlay, .events = POLLIN, .revents = 0}};
  while (true) {
    if (::poll(watched, std::size(watched), -1) < 0) continue;
    char detached = 0;
    if ((watched[1].revents & POLLIN) == 0 || ::read(lifeline, &detached, 1) != 1) break;
    outside.forget_terminal();
  }
  if (watched[1].revents != 0) {
    sys::pidfd_send_signal(container, SIGKILL);
    if (outside.carrier) sys::pidfd_send_signal(outside.carrier.get(), SIGKILL);
    outside.restore_terminal();
    outside.remove_group(watched[0]);
  }
  const bool failed = watched[0].revents == 0 && (watched[2].revents | watched[3].revents) != 0;
  if (!failed) await_last_changes(overlay);
  if (failed && watched[3].revents != 0) tell_of_lost_overlay(container);
  sys::pidfd_send_signal(server, SIGKILL);
  if (overlay >= 0) sys::pidfd_send_signal(overlay, SIGKILL);
  return failed ? exit_own_failure : 0;
}

// The process that reads the image while the container runs: it ends with its parent, which ends it with the
// container. What keeps it from beginning is told in the report, as no program has started by then.
Result<void> serve(const Setup& setup, const Filesystem& filesystem, const Fd& fuse) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const MountOptions options = image_mount_options(setup.maps);
  auto ready = bound_capabilities({});
  if (ready) ready = enter_sandbox({.work = Work::serve, .threads = options.max_threads});
  if (!ready) setup.report.fail_with({exit_own_failure, ready.error().what});
  const auto server = Server::make(
      filesystem, options, [](const std::string& message) { fmt::print(stderr, "vmfs: {}\n", message); });
  if (!server) setup.report.fail_with({exit_own_failure, server.error().what});
  setup.report.close_writer();
  std::ignore = TRY((*server)->serve(fuse.get()));
  return {};
}

Result<int> serve_and_watch(const Setup& setup, const Filesystem& filesystem, Fd& fuse, const Fd& container,
                            Outside& outside) {
  TRY(leave_machine());
  const pid_t child = ::fork();
  if (child < 0) return failed_call("fork", errno);
  if (child == 0) {
    outside.forget_terminal();
    const auto served = serve(setup, filesystem, fuse);
    if (!served) fmt::print(stderr, "vmfs: {}\n", served.error().what);
    ::_exit(0);
  }
  // The connection to the kernel ends with its last descriptor.
  fuse.reset();
  ::prctl(PR_SET_NAME, "vmfs-keeper");
  // The program may be another user's than this process, and both have to end with the one who waits.
  TRY(bound_capabilities({}));
  TRY(set_capabilities({CAP_KILL}, {}));
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // What the parent's end asks for is done here.
  ::prctl(PR_SET_PDEATHSIG, 0);
  const Fd server(sys::pidfd_open(child));
  // From now on the report is the server's and the container's.
  setup.report.close_writer();
  const int overlay = setup.overlay.process.get();
  const int status = watch_over(container.get(), server.get(), overlay, setup.lifeline.get(), outside);
  // They hold the folder of changes, which another container may want at once.
  if (!setup.plan.overlay.empty()) {
    (void)ends_within(server.get(), patience_with_the_dead_ms);
    if (overlay >= 0) (void)ends_within(overlay, patience_with_the_dead_ms);
  }
  return status;
}

// Only messages still go where the caller sees them, by way of the launcher.
void detach_from_streams() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
}

}  // namespace

void serve_container(const Setup& setup, const Filesystem& filesystem, const Fd& channel, Streams& streams) {
  ::setsid();
  die_with_parent(setup.lifeline);
  Outside outside{.group = setup.group, .carrier = {}, .terminal = {}, .settings = {}};
  auto fuse = prepare(setup, filesystem, channel, outside.carrier);
  if (!fuse) setup.report.fail_with({exit_own_failure, fuse.error().what});
  // A sibling, so that the one who waits is told how it ends even if this process does not live to see it.
  const pid_t child = sys::fork_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_PARENT);
  if (child < 0) setup.report.fail_with({exit_own_failure, "pid namespace: " + describe_errno(errno)});
  if (child == 0) live_inside(setup);
  const Fd container(sys::pidfd_open(child));
  if (::write(channel.get(), &child, sizeof child) != sizeof child) ::_exit(exit_own_failure);
  streams.install_messages();
  streams.close_all();
  setup.console.reset();
  setup.volumes.clear();
  setup.overlay.mount.reset();
  if (setup.plan.terminal && setup.plan.interactive) {
    outside.terminal = Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    outside.settings = terminal_settings(STDIN_FILENO);
  }
  detach_from_streams();
  const auto status = serve_and_watch(setup, filesystem, *fuse, container, outside);
  if (!status) setup.report.fail_with({exit_own_failure, status.error().what});
  ::_exit(*status);
}

}  // namespace vmfs
