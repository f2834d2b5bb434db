// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>

#include "launcher/commands/command_words.h"
#include "launcher/commands/commands.h"
#include "launcher/container/cgroup.h"
#include "launcher/container/container.h"
#include "launcher/container/network.h"
#include "launcher/container/process.h"
#include "launcher/container/scope.h"
#include "launcher/container/sealed_program.h"
#include "launcher/files/guest_tree.h"

namespace vmfs {
namespace {

struct RunCommand {
  ImageOptions image;
  RunOptions options;
  std::vector<std::string> environment_files;
};

Caller make_caller() {
  std::error_code ignored;
  return {.directory = std::filesystem::current_path(ignored).string(),
          .environment = environment_of_caller(),
          .resolver = read_text("/etc/resolv.conf"),
          .systemd_resolver = read_text("/run/systemd/resolve/resolv.conf"),
          .can_carry = can_carry()};
}

Result<int> run(RunCommand& command) {
  if (wants_group(TRY(parse_limits(command.options)), command.options.boot)) move_to_scope();
  run_from_sealed_copy();
  complete_standard_streams();
  command.options.environment_files = TRY(read_environment_files(command.environment_files));
  command.options.image = command.image.image;
  const Plan plan = TRY(make_plan(command.options, make_caller()));
  if (command.options.network.empty() && plan.network.kind == Network::Kind::none) {
    print_warning("the container has no network: pasta is not installed (Debian: the package passt)");
  }
  const std::vector<Image> images = TRY(open_images_from_options(command.image));
  return run_container(plan, [&] { return GuestTree::look(command.image, images); });
}

void add_root_options(CommandLine line, RunOptions& options) {
  line.option("--overlay", options.overlay,
              "folder that keeps the container's changes, and has those of earlier runs", "DIR");
  line.flag("--read-only", options.read_only, "forbid changes to the root file system");
  line.list("-v,--volume", options.volumes, "share a directory or file", "SRC:DST[:ro]");
  line.list("--tmpfs", options.memory_folders, "mount a directory in memory", "DST[:OPTION,...]");
}

void add_process_options(CommandLine line, RunCommand& command) {
  RunOptions& options = command.options;
  line.list("-e,--env", options.environment, "set a variable, or take it from here", "NAME[=VALUE]");
  line.list("--env-file", command.environment_files, "set the variables that a file lists", "FILE");
  line.option("-w,--workdir", options.workdir, "working directory inside", "DIR");
  line.option("-u,--user", options.user, "user of the image to run as", "NAME|UID[:GROUP|GID]");
  line.option("--hostname", options.hostname, "name of the machine inside; default: the image's", "NAME");
  line.list("--cap-add", options.added_capabilities, "add a capability to the default set", "NAME|ALL");
  line.list("--cap-drop", options.dropped_capabilities, "take a capability away", "NAME|ALL");
  line.option("-m,--memory", options.memory, "memory at most, and as much swap", "NUMBER[b|k|m|g]");
  line.option("--cpus", options.processors, "processors at most", "NUMBER");
  line.option("--pids-limit", options.processes, "processes at most; -1: any number", "NUMBER");
  line.list("--security-opt", options.security, "no-new-privileges, seccomp=unconfined or unmask=ALL",
            "OPTION");
}

void add_life_options(CommandLine line, RunOptions& options) {
  line.option("--name", options.name, "what `vmfs exec`, `vmfs stop` and the rest call the container",
              "NAME");
  line.flag("-d,--detach", options.detach, "go on in the background, print the container's name");
  line.option("--detach-keys", options.detach_keys, "with -it, keys that do the same later; empty: none",
              "KEY,...");
  line.flag("--rm", options.remove,
            "remove a container in the background when it ends (one in front always is)");
  line.option("--stop-signal", options.stop_signal,
              "what asks the container to end (default: TERM; with --boot what its init wants)", "SIGNAL");
  line.option("--stop-timeout", options.stop_timeout,
              "seconds after which it is killed if it has not ended then (default: 10; with --boot 90)",
              "SECONDS");
}

}  // namespace

Command add_run(CommandLine line) {
  auto command = std::make_shared<RunCommand>();
  RunOptions& options = command->options;
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.flag("-i,--interactive", options.interactive, "let the container read standard input");
  line.flag("-t,--tty", options.terminal, "give the container a terminal");
  line.option("--entrypoint", options.entrypoint, "program that gets the command as arguments", "WORD|JSON");
  line.flag("--init,!--no-init", options.init,
            "run an init that hands on signals and buries orphans (the default; --init=false: the "
            "command is PID 1)");
  line.flag("--boot", options.boot,
            "start the image's init, with the command as its arguments; SIGTERM and SIGINT shut it down, "
            "the second time they kill");
  add_life_options(line, options);
  add_root_options(line, options);
  add_process_options(line, *command);
  line.option("--network", options.network,
              "pasta: out through pasta(1), the default if it is installed; none; host", "pasta|none|host");
  line.list("-p,--publish", options.ports, "let a port of this machine lead into the container",
            "[ADDRESS:]PORT:PORT[/udp]");
  add_image_options(line, command->image, "--partition", "--add");
  line.let_the_last_count();
  line.keep_a_command();
  return
      [command, line] { return run_command(line, command->options.command, [&] { return run(*command); }); };
}

}  // namespace vmfs
