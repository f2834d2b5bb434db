// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>

#include "launcher/commands/command_words.h"
#include "launcher/commands/commands.h"
#include "launcher/container/container.h"
#include "launcher/container/control.h"
#include "launcher/container/join.h"
#include "launcher/container/lookup.h"
#include "launcher/container/report.h"
#include "launcher/container/scope.h"
#include "launcher/container/sealed_program.h"

namespace vmfs {
namespace {

struct ExecCommand {
  std::string name;
  ExecOptions options;
  std::vector<std::string> environment_files;
};

Result<int> exec(ExecCommand& command) {
  const FoundContainer found = TRY(find_running(command.name));
  // From elsewhere its group could not be entered.
  if (found.state.grouped) move_to_scope();
  run_from_sealed_copy();
  complete_standard_streams();
  command.options.environment_files = TRY(read_environment_files(command.environment_files));
  const Plan plan = TRY(make_exec_plan(command.options, found.state, environment_of_caller()));
  const auto control = connect_control(found.folder.folder());
  if (!control) return fail(control.error().code, "{}: {}", command.name, control.error().what);
  TRY(send_message(*control, "join"));
  Message answer = TRY(receive_message(*control));
  if (answer.text != "ok") return fail(ESRCH, "{}: the container has ended", command.name);
  return run_in_container(plan, TRY(entrances_of(std::move(answer.descriptors), found.state)));
}

}  // namespace

Command add_exec(CommandLine line) {
  auto command = std::make_shared<ExecCommand>();
  ExecOptions& options = command->options;
  line.argument("NAME", command->name, "container that runs");
  line.flag("-i,--interactive", options.interactive, "let the command read standard input");
  line.flag("-t,--tty", options.terminal, "give the command a terminal");
  line.flag("-d,--detach", options.detach, "do not wait for the command, and show nothing of it");
  line.list("-e,--env", options.environment, "set a variable, or take it from here", "NAME[=VALUE]");
  line.list("--env-file", command->environment_files, "set the variables that a file lists", "FILE");
  line.option("-w,--workdir", options.workdir, "working directory; default: the container's", "DIR");
  line.option("-u,--user", options.user, "user of the image; default: the container's",
              "NAME|UID[:GROUP|GID]");
  line.let_the_last_count();
  line.keep_a_command();
  return
      [command, line] { return run_command(line, command->options.command, [&] { return exec(*command); }); };
}

}  // namespace vmfs
