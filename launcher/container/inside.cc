// SPDX-License-Identifier: MIT
#include "launcher/container/inside.h"

#include <cerrno>
#include <csignal>

#include <grp.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/container/boot.h"
#include "launcher/container/capabilities.h"
#include "launcher/container/descriptors.h"
#include "launcher/container/etc_files.h"
#include "launcher/container/namespaces.h"
#include "launcher/container/passwd.h"
#include "launcher/container/process.h"
#include "launcher/container/rootfs.h"
#include "launcher/container/seccomp.h"
#include "launcher/container/terminal.h"
#include "launcher/container/volumes.h"

namespace vmfs {
namespace {

constexpr unsigned first_free = 3;  // descriptor behind the standard streams

Result<void> write_etc_files(const Plan& plan) {
  const std::string hostname = plan.hostname.empty() ? hostname_of(read_etc_file("hostname")) : plan.hostname;
  if (::sethostname(hostname.data(), hostname.size()) != 0) return failed_call("hostname", errno);
  TRY(replace_etc_file("hostname", hostname + "\n"));
  TRY(replace_etc_file("hosts", hosts_with(read_etc_file("hosts"), hostname)));
  return replace_etc_file("resolv.conf", plan.network.resolver);
}

// The keys of the user's session on this machine are not the container's.
void leave_keyring() {
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}

Program make_program(const Plan& plan, bool set_groups, User user) {
  Program program{.arguments = plan.command,
                  .environment = {},
                  .workdir = plan.workdir,
                  .user = std::move(user),
                  .privileges = plan.privileges,
                  .may_set_groups = set_groups,
                  .terminal = plan.terminal && !plan.boot};
  if (program.arguments.empty() && !plan.boot) program.arguments = {program.user.shell};
  if (!plan.environment.contains("HOME")) program.environment.push_back("HOME=" + program.user.home);
  for (const auto& [name, value] : plan.environment)
    program.environment.push_back(fmt::format("{}={}", name, value));
  return program;
}

// Its words are the arguments of the init.
void become_init(Program& program, const Boot& boot) {
  program.arguments.insert(program.arguments.begin(), boot.path);
  program.environment.push_back("container_uuid=" + boot.uuid);
}

// The report is the only descriptor left beside the standard streams.
void close_everything(Report& report) {
  report.move_writer(first_free);
  ::close_range(first_free + 1, ~0U, 0);
}

// Whatever is executed in here from now on is bound by these.
Result<void> bind_programs(const Privileges& privileges) {
  TRY(bound_capabilities(privileges.capabilities));
  if (privileges.seccomp) TRY(install_seccomp_filter(privileges.capabilities));
  return {};
}

// The group the process is in becomes the root of all that it sees.
Result<void> enter_group(const Group& group) {
  TRY(group.enter());
  if (::unshare(CLONE_NEWCGROUP) != 0) return failed_call("cgroup namespace", errno);
  return {};
}

Result<Boot> set_up_boot(const Setup& setup, bool keep_machine_id) {
  Boot boot = TRY(find_init());
  if (needs_group(boot.kind) && !setup.group) {
    const Error& why = setup.group.why_none();
    return fail(why.code, "--boot: {} needs a cgroup of its own, but {}", boot.path, why.what);
  }
  TRY(prepare_boot(setup.plan, boot, keep_machine_id));
  return boot;
}

Result<Program> set_up(const Setup& setup) {
  const Plan& plan = setup.plan;
  TRY(enter_group(setup.group));
  const auto namespaces = TRY(open_own_namespaces());
  TRY(send_message(setup.console, "namespaces", namespaces));
  TRY(setup.streams.install());
  const bool keep_machine_id = was_changed("/etc/machine-id");
  TRY(enter_root(plan, setup.maps, {.boot = plan.boot, .group = static_cast<bool>(setup.group)},
                 setup.overlay));
  TRY(write_etc_files(plan));
  Boot boot;
  if (plan.boot) boot = TRY(set_up_boot(setup, keep_machine_id));
  TRY(attach_volumes(plan, setup.volumes));
  TRY(give_terminal(plan, setup.console, true,
                    plan.init_chooses_signal ? stop_signal_of(boot.kind) : plan.stop_signal));
  TRY(finish_root(plan));
  Program program = TRY(become_program(plan, setup.maps.set_groups, setup.report));
  if (plan.boot) become_init(program, boot);
  return program;
}

}  // namespace

Result<void> give_terminal(const Plan& plan, const Fd& console, bool is_console, int stop_signal) {
  if (!has_terminal(plan)) return {};
  const Fd terminal = TRY(open_terminal(console, is_console, stop_signal));
  for (int stream = 0; stream < 3; ++stream) {
    if (::dup2(terminal.get(), stream) < 0) return failed_call("terminal", errno);
  }
  return {};
}

Result<Program> become_program(const Plan& plan, bool set_groups, Report& report) {
  leave_keyring();
  User user = TRY(find_user(plan.user, read_etc_file("passwd"), read_etc_file("group")));
  close_everything(report);
  TRY(bind_programs(plan.privileges));
  return make_program(plan, set_groups, std::move(user));
}

void die_with_parent(const Fd& lifeline) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before.
  pollfd ended{.fd = lifeline.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, 0) > 0 && (ended.revents & (POLLHUP | POLLIN)) != 0) ::_exit(exit_own_failure);
}

void live_inside(const Setup& setup) {
  // As PID 1 it would lose what it does not block; the program gets the mask of a fresh process.
  sigset_t all{};
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  die_with_parent(setup.lifeline);
  // What the caller's terminal sends reaches it by way of the launcher.
  ::setsid();
  // Nobody in here may look into this process, whatever user he is: the program it runs is the machine's.
  ::prctl(PR_SET_DUMPABLE, 0);
  hide_command_line("vmfs-init");
  ::umask(022);
  const auto program = set_up(setup);
  if (!program) setup.report.fail_with({exit_own_failure, program.error().what});
  if (setup.plan.init) run_as_init(*program, setup.report);
  setup.report.fail_with(execute(*program));
}

}  // namespace vmfs
