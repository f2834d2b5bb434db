// SPDX-License-Identifier: MIT
#include "launcher/container/join.h"

#include <cerrno>
#include <csignal>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/cgroup.h"
#include "launcher/container/descriptors.h"
#include "launcher/container/init.h"
#include "launcher/container/inside.h"
#include "launcher/container/namespaces.h"
#include "launcher/container/process.h"
#include "launcher/container/report.h"
#include "launcher/container/session.h"
#include "launcher/container/syscalls.h"

// Two processes more: one enters the namespaces and starts the program there, as a sibling of itself, so that
// it is this process that is told how the program ends; then it goes.

namespace vmfs {
namespace {

struct Joint {
  const Plan& plan;
  const Entrances& entrances;
  Streams streams;
  Report report;
  Fd console;
  Fd inner_console;
  Fd channel;  // tells the program's process id
  Fd inner_channel;
};

Result<std::pair<Fd, Fd>> make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failed_call("socketpair", errno);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<Joint> make_joint(const Plan& plan, const Entrances& entrances) {
  auto [console, inner_console] = TRY(make_pair());
  auto [channel, inner_channel] = TRY(make_pair());
  return Joint{
      .plan = plan,
      .entrances = entrances,
      .streams = TRY(plan.detach ? Streams::make_none() : Streams::make(plan.interactive, plan.terminal)),
      .report = TRY(Report::make()),
      .console = std::move(console),
      .inner_console = std::move(inner_console),
      .channel = std::move(channel),
      .inner_channel = std::move(inner_channel)};
}

Result<Program> set_up(Joint& joint) {
  TRY(joint.streams.install());
  TRY(give_terminal(joint.plan, joint.inner_console, false, joint.plan.stop_signal));
  Program program = TRY(become_program(joint.plan, joint.entrances.set_groups, joint.report));
  program.ends_with_parent = !joint.plan.detach;
  return program;
}

[[noreturn]] void live_inside(Joint& joint) {
  ::umask(022);
  const auto program = set_up(joint);
  if (!program) joint.report.fail_with({exit_own_failure, program.error().what});
  joint.report.fail_with(execute(*program));
}

// Without limits it only is counted elsewhere; with them it would escape.
Result<void> join_group(const Entrances& entrances) {
  if (!entrances.group) return {};
  const auto entered = enter_group(entrances.group);
  if (entered || !entrances.limited) return {};
  return fail(entered.error().code,
              "the container's {}; its limits hold for commands that come from a group of the same user, as "
              "`systemd-run --user --scope vmfs exec ...` does",
              entered.error().what);
}

// Nobody in there may look into this process: the program it runs is the machine's.
[[noreturn]] void enter(Joint& joint) {
  hide_command_line("vmfs-exec");
  auto joined = join_group(joint.entrances);
  if (joined) joined = join_namespaces(joint.entrances.namespaces);
  if (joined) joined = become_root(joint.entrances.set_groups);
  ::prctl(PR_SET_DUMPABLE, 0);
  if (!joined) joint.report.fail_with({exit_own_failure, joined.error().what});
  const pid_t child = sys::fork_with(CLONE_PARENT);
  if (child < 0) {
    joint.report.fail_with({exit_own_failure, errno == ENOMEM ? "the container has ended meanwhile"
                                                              : "fork: " + describe_errno(errno)});
  }
  if (child == 0) live_inside(joint);
  if (::write(joint.inner_channel.get(), &child, sizeof child) != sizeof child) ::_exit(exit_own_failure);
  ::_exit(0);
}

int tell(const Failure& failure) {
  fmt::print(stderr, "vmfs: {}\n", failure.message);
  return failure.status;
}

Result<int> attend(Joint& joint, pid_t pid) {
  Session session(std::move(joint.streams), std::move(joint.console), joint.plan);
  session.begin(pid);
  while (!session.has_ended()) {
    Poller poller;
    session.watch(poller);
    poller.wait();
  }
  session.finish();
  if (const auto failure = joint.report.receive()) return tell(*failure);
  return session.status();
}

}  // namespace

Result<Plan> make_exec_plan(const ExecOptions& options, const ContainerState& state,
                            const Environment& caller) {
  if (options.command.empty() || options.command.front().empty()) return fail(EINVAL, "a command is wanted");
  if (!options.workdir.empty() && !options.workdir.starts_with('/')) {
    return fail(EINVAL, "--workdir {}: an absolute path is wanted", options.workdir);
  }
  Plan plan;
  plan.name = state.name;
  plan.command = options.command;
  plan.user = options.user.empty() ? state.user : options.user;
  plan.workdir = options.workdir.empty() ? state.workdir : options.workdir;
  plan.privileges = state.privileges;
  plan.environment = state.environment;
  if (options.terminal) {
    const auto term = caller.find("TERM");
    plan.environment["TERM"] = term != caller.end() ? term->second : "xterm";
  }
  TRY(add_variables(plan.environment, options.environment_files, options.environment, caller));
  plan.interactive = options.interactive;
  plan.terminal = options.terminal && !options.detach;
  plan.detach = options.detach;
  return plan;
}

Result<Entrances> entrances_of(std::vector<Fd> descriptors, const ContainerState& state) {
  if (descriptors.size() != namespace_count + (state.grouped ? 1 : 0)) return failed_call(state.name, EPROTO);
  Entrances entrances{
      .namespaces = {}, .group = {}, .limited = state.limited, .set_groups = state.set_groups};
  if (state.grouped) {
    entrances.group = std::move(descriptors.back());
    descriptors.pop_back();
  }
  entrances.namespaces = std::move(descriptors);
  return entrances;
}

Result<int> run_in_container(const Plan& plan, const Entrances& entrances) {
  Joint joint = TRY(make_joint(plan, entrances));
  const pid_t helper = ::fork();
  if (helper < 0) return failed_call("fork", errno);
  if (helper == 0) enter(joint);
  joint.streams.close_inner();
  joint.inner_console.reset();
  joint.inner_channel.reset();
  joint.report.close_writer();
  pid_t pid = 0;
  ssize_t length = 0;
  while ((length = ::read(joint.channel.get(), &pid, sizeof pid)) < 0 && errno == EINTR) {
  }
  wait_for(helper);
  if (length == sizeof pid && !plan.detach) return attend(joint, pid);
  if (const auto failure = joint.report.receive()) return tell(*failure);
  if (length != sizeof pid) return fail(ECHILD, "the process that enters the container was killed");
  return 0;
}

}  // namespace vmfs
