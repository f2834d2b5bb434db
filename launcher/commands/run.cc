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
  auto images = TRY(open_images_from_options(command.image));
  const GuestTree tree = TRY(GuestTree::look(command.image, std::move(images)));
  return run_container(plan, tree.filesystem());
}

void add_root_options(CLI::App& verb, RunOptions& options) {
  verb.add_option("--overlay", options.overlay,
                  "folder that keeps the container's changes, and has those of earlier runs")
      ->type_name("DIR");
  verb.add_flag("--read-only", options.read_only, "forbid changes to the root file system");
  add_list(verb, "-v,--volume", options.volumes, "share a directory or file", "SRC:DST[:ro]");
  add_list(verb, "--tmpfs", options.memory_folders, "mount a directory in memory", "DST[:OPTION,...]");
}

void add_process_options(CLI::App& verb, RunCommand& command) {
  RunOptions& options = command.options;
  add_list(verb, "-e,--env", options.environment, "set a variable, or take it from here", "NAME[=VALUE]");
  add_list(verb, "--env-file", command.environment_files, "set the variables that a file lists", "FILE");
  verb.add_option("-w,--workdir", options.workdir, "working directory inside")->type_name("DIR");
  verb.add_option("-u,--user", options.user, "user of the image to run as")
      ->type_name("NAME|UID[:GROUP|GID]");
  verb.add_option("--hostname", options.hostname, "name of the machine inside; default: the image's")
      ->type_name("NAME");
  add_list(verb, "--cap-add", options.added_capabilities, "add a capability to the default set", "NAME|ALL");
  add_list(verb, "--cap-drop", options.dropped_capabilities, "take a capability away", "NAME|ALL");
  verb.add_option("-m,--memory", options.memory, "memory at most, and as much swap")
      ->type_name("NUMBER[b|k|m|g]");
  verb.add_option("--cpus", options.processors, "processors at most")->type_name("NUMBER");
  verb.add_option("--pids-limit", options.processes, "processes at most; -1: any number")
      ->type_name("NUMBER");
  add_list(verb, "--security-opt", options.security, "no-new-privileges, seccomp=unconfined or unmask=ALL",
           "OPTION");
}

void add_life_options(CLI::App& verb, RunOptions& options) {
  verb.add_option("--name", options.name, "what `vmfs exec`, `vmfs stop` and the rest call the container")
      ->type_name("NAME");
  verb.add_flag("-d,--detach", options.detach, "go on in the background, print the container's name");
  verb.add_option("--detach-keys", options.detach_keys, "with -it, keys that do the same later; empty: none")
      ->type_name("KEY,...")
      ->capture_default_str();
  verb.add_flag("--rm", options.remove,
                "remove a container in the background when it ends (one in front always is)");
  verb.add_option("--stop-signal", options.stop_signal,
                  "what asks the container to end (default: TERM; with --boot what its init wants)")
      ->type_name("SIGNAL");
  verb.add_option("--stop-timeout", options.stop_timeout,
                  "seconds after which it is killed if it has not ended then (default: 10; with --boot 90)")
      ->type_name("SECONDS");
}

}  // namespace

Command add_run(CLI::App& verb) {
  auto command = std::make_shared<RunCommand>();
  RunOptions& options = command->options;
  verb.add_option("IMAGE", command->image.image, "disk image, or a block device")->required();
  verb.add_flag("-i,--interactive", options.interactive, "let the container read standard input");
  verb.add_flag("-t,--tty", options.terminal, "give the container a terminal");
  verb.add_option("--entrypoint", options.entrypoint, "program that gets the command as arguments")
      ->type_name("WORD|JSON");
  verb.add_flag("--init,!--no-init", options.init,
                "run an init that hands on signals and buries orphans (the default; --init=false: the "
                "command is PID 1)");
  verb.add_flag("--boot", options.boot,
                "start the image's init, with the command as its arguments; SIGTERM and SIGINT shut it down, "
                "the second time they kill");
  add_life_options(verb, options);
  add_root_options(verb, options);
  add_process_options(verb, *command);
  verb.add_option("--network", options.network,
                  "pasta: out through pasta(1), the default if it is installed; none; host")
      ->type_name("pasta|none|host");
  add_list(verb, "-p,--publish", options.ports, "let a port of this machine lead into the container",
           "[ADDRESS:]PORT:PORT[/udp]");
  add_image_options(verb, command->image, "--partition", "--add");
  let_the_last_count(verb);
  verb.prefix_command();
  return
      [command, &verb] { return run_command(verb, command->options.command, [&] { return run(*command); }); };
}

}  // namespace vmfs
