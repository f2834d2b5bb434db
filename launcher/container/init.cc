// SPDX-License-Identifier: MIT
#include "launcher/container/init.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/container/capabilities.h"
#include "launcher/container/process.h"
#include "launcher/container/terminal.h"

namespace vmfs {
namespace {

std::vector<char*> to_vector(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> search_path(const Program& program) {
  const std::string& name = program.arguments.front();
  if (name.contains('/')) return {name};
  std::vector<std::string> paths;
  for (const std::string& variable : program.environment) {
    if (!variable.starts_with("PATH=")) continue;
    std::istringstream directories(variable.substr(5));
    paths.clear();
    for (std::string directory; std::getline(directories, directory, ':');) {
      paths.push_back((directory.empty() ? "." : directory) + "/" + name);
    }
  }
  return paths;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none{};
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Those mean whoever gets them: nobody asks a program to crash by way of its parent.
bool is_fault(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP ||
         signal == SIGSYS || signal == SIGPIPE;
}

// What the keyboard of a terminal sends goes to all processes in the foreground.
bool is_of_keyboard(int signal) {
  return signal == SIGINT || signal == SIGQUIT;
}

void bury(pid_t program) {
  int status = 0;
  pid_t child = 0;
  while ((child = ::waitpid(-1, &status, WNOHANG)) > 0) {
    // With PID 1 the kernel ends all that is left in here.
    if (child == program) ::_exit(shell_status(status));
  }
}

[[noreturn]] void pass_signals_on(pid_t program) {
  sigset_t all{};
  sigfillset(&all);
  while (true) {
    const int signal = ::sigwaitinfo(&all, nullptr);
    if (signal == SIGCHLD) {
      bury(program);
    } else if (signal > 0 && !is_fault(signal)) {
      ::kill(is_of_keyboard(signal) ? -program : program, signal);
    }
  }
}

// The kernel tells addresses as numbers.
void* to_pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

Result<void> set_ids(const User& user, bool may_set_groups) {
  const auto unknown = [&](int code) {
    return fail(code, "user {}:{}: {}; the container has no such id", user.uid, user.gid,
                describe_errno(code));
  };
  if (may_set_groups && ::setgroups(user.groups.size(), user.groups.data()) != 0) return unknown(errno);
  if (::setresgid(user.gid, user.gid, user.gid) != 0) return unknown(errno);
  if (::setresuid(user.uid, user.uid, user.uid) != 0) return unknown(errno);
  return {};
}

// Root has what the container has; other users what was asked for by name.
Result<void> become_user(const Program& program) {
  ::setsid();
  if (program.terminal) {
    TRY(take_terminal());
    if (::fchown(STDIN_FILENO, program.user.uid, static_cast<gid_t>(-1)) != 0)
      return failed_call("terminal", errno);
  }
  ::prctl(PR_SET_KEEPCAPS, 1);
  TRY(set_ids(program.user, program.may_set_groups));
  const Privileges& privileges = program.privileges;
  if (program.user.uid == 0) {
    TRY(set_capabilities(privileges.capabilities, {}));
  } else {
    TRY(set_capabilities(privileges.ambient, privileges.ambient));
  }
  if (program.ends_with_parent) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (privileges.no_new_privileges) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

}  // namespace

Failure execute(const Program& program) {
  // As podman: the command is what cannot be executed there.
  if (::chdir(program.workdir.c_str()) != 0)
    return {exit_not_executable, failed_call("working directory " + program.workdir, errno).error().what};
  if (const auto become = become_user(program); !become) return {exit_own_failure, become.error().what};
  reset_signals();
  const auto arguments = to_vector(program.arguments);
  const auto environment = to_vector(program.environment);
  int code = ENOENT;
  for (const std::string& path : search_path(program)) {
    ::execve(path.c_str(), arguments.data(), environment.data());
    // As a shell: what is there but may not be executed is remembered, the search goes on.
    if (errno != ENOENT && errno != ENOTDIR) code = errno;
  }
  struct stat status{};
  const std::string& name = program.arguments.front();
  if (code == ENOENT && name.contains('/') && ::stat(name.c_str(), &status) == 0) {
    return {exit_not_executable, name + ": its interpreter is not in the image"};
  }
  if (code == ENOENT) return {exit_not_found, name + ": no such command in the image"};
  return {exit_not_executable, name + ": " + describe_errno(code)};
}

void run_as_init(const Program& program, Report& report) {
  const pid_t child = ::fork();
  if (child < 0) report.fail_with({exit_own_failure, "fork: " + describe_errno(errno)});
  if (child == 0) report.fail_with(execute(program));
  report.close_writer();
  // Its child may be any user, and gets its signals from here.
  if (!set_capabilities({CAP_KILL}, {})) ::_exit(exit_own_failure);
  // The program has streams of its own; these would keep them open.
  for (int stream = 0; stream < 3; ++stream) ::close(stream);
  pass_signals_on(child);
}

void hide_command_line(const std::string& name) {
  ::prctl(PR_SET_NAME, name.c_str());
  // The fields after the program's name, which is in parentheses and may hold anything: proc(5), 48 to 51.
  std::string stat = read_text("/proc/self/stat");
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::vector<std::uintptr_t> values;
  for (std::string field; fields >> field;) values.push_back(std::strtoull(field.c_str(), nullptr, 10));
  constexpr std::size_t arguments = 48 - 3;
  if (values.size() < arguments + 4) return;
  for (const std::size_t first : {arguments, arguments + 2}) {
    if (values[first] != 0) std::memset(to_pointer(values[first]), 0, values[first + 1] - values[first]);
  }
  if (values[arguments + 1] - values[arguments] > name.size()) {
    std::memcpy(to_pointer(values[arguments]), name.c_str(), name.size());
  }
}

}  // namespace vmfs
