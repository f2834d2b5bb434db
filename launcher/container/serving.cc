// SPDX-License-Identifier: MIT
#include "launcher/container/serving.h"

#include <cerrno>
#include <csignal>
#include <iterator>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/container/capabilities.h"
#include "launcher/container/namespaces.h"
#include "launcher/container/network.h"
#include "launcher/container/process.h"
#include "launcher/container/rootfs.h"
#include "launcher/container/syscalls.h"
#include "launcher/container/terminal.h"
#include "launcher/container/volumes.h"
#include "launcher/image_options.h"

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

// Only messages still go where the caller sees them.
void leave_streams() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
}

// And these by way of the launcher, once that copies them.
void leave_errors(Streams& streams) {
  streams.install_messages();
  streams.close_all();
}

// What is the container's first process's alone.
void leave_to_container(const Setup& setup) {
  setup.console.reset();
  setup.volumes.clear();
  setup.overlay.mount.reset();
}

Result<ImageServer> start_image_server(const Setup& setup, const Look& look, const Fd& fuse, Fd& channel,
                                       Streams& streams) {
  const auto begin = [&] {
    channel.reset();
    setup.lifeline.reset();
    setup.group = Group();
    leave_to_container(setup);
    leave_streams();
    // The keeper changes its root too, and its directory if it is that.
    if (::chdir("/") != 0) ::_exit(exit_own_failure);
  };
  return ImageServer::start(look, image_mount_options(setup.maps), fuse, setup.report,
                            {.begin = begin, .ready = [&] { leave_errors(streams); }});
}

// The namespaces, and all that the container's first process needs to be in them.
Result<ImageServer> prepare(const Setup& setup, const Look& look, Fd& channel, Streams& streams,
                            Fd& carrier) {
  TRY(enter_user_namespace(channel));
  const Fd fuse = TRY(open_fuse());
  TRY(await_ids(channel));
  TRY(become_root(setup.maps.set_groups));
  TRY(enter_other_namespaces(setup.plan));
  die_with_parent(setup.lifeline);
  ::prctl(PR_SET_DUMPABLE, 0);
  ImageServer server = TRY(start_image_server(setup, look, fuse, channel, streams));
  TRY(get_network(setup.plan, channel, carrier));
  if (setup.volumes.empty()) setup.volumes = TRY(open_volumes(setup.plan));
  const Ownership root = TRY(server.await_root());
  if (::write(channel.get(), &entered, sizeof entered) != sizeof entered)
    return failed_call("channel", errno);
  TRY(build_base(setup.plan, root, fuse, setup.maps));
  server.serve();
  setup.overlay = TRY(choose_overlay(setup.plan, print_warning));
  return server;
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

Result<int> stay_and_watch(const Setup& setup, const Fd& server, const Fd& container, Outside& outside) {
  TRY(leave_machine());
  ::prctl(PR_SET_NAME, "vmfs-keeper");
  // The program may be another user's than this process, and both have to end with the one who waits.
  TRY(bound_capabilities({}));
  TRY(set_capabilities({CAP_KILL}, {}));
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // What the parent's end asks for is done here.
  ::prctl(PR_SET_PDEATHSIG, 0);
  // From now on the report is the server's and the container's.
  setup.report.close_writer();
  const int overlay = setup.overlay.process.get();
  const int status = watch_over(container.get(), server.get(), overlay, setup.lifeline.get(), outside);
  // Nothing of a container outlives it, and another may want its folder of changes at once.
  (void)ends_within(server.get(), patience_with_the_dead_ms);
  if (overlay >= 0) (void)ends_within(overlay, patience_with_the_dead_ms);
  return status;
}

}  // namespace

void serve_container(const Setup& setup, const Look& look, Fd channel, Streams& streams) {
  ::setsid();
  die_with_parent(setup.lifeline);
  Outside outside{.group = setup.group, .carrier = {}, .terminal = {}, .settings = {}};
  const auto server = prepare(setup, look, channel, streams, outside.carrier);
  if (!server) setup.report.fail_with({exit_own_failure, server.error().what});
  // A sibling, so that the one who waits is told how it ends even if this process does not live to see it.
  const pid_t child = sys::fork_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_PARENT);
  if (child < 0) setup.report.fail_with({exit_own_failure, "pid namespace: " + describe_errno(errno)});
  if (child == 0) live_inside(setup);
  const Fd container(sys::pidfd_open(child));
  if (::write(channel.get(), &child, sizeof child) != sizeof child) ::_exit(exit_own_failure);
  leave_errors(streams);
  leave_to_container(setup);
  if (setup.plan.terminal && setup.plan.interactive) {
    outside.terminal = Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    outside.settings = terminal_settings(STDIN_FILENO);
  }
  leave_streams();
  const auto status = stay_and_watch(setup, server->process(), container, outside);
  if (!status) setup.report.fail_with({exit_own_failure, status.error().what});
  ::_exit(*status);
}

}  // namespace vmfs
