// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <vector>

#include "launcher/commands/commands.h"
#include "launcher/commands/each_container.h"
#include "launcher/container/lookup.h"
#include "launcher/container/names.h"

namespace vmfs {
namespace {

struct KillCommand {
  std::vector<std::string> names;
  std::string signal = "KILL";
};

Result<void> kill(const std::string& name, int signal) {
  return signal_container(TRY(find_running(name)), signal);
}

}  // namespace

Command add_kill(CommandLine line) {
  auto command = std::make_shared<KillCommand>();
  line.arguments("NAME", command->names, "containers that run, by name");
  line.option("-s,--signal", command->signal, "signal to send, by name or number", "SIGNAL");
  return [command]() -> Result<int> {
    const int signal = TRY(parse_signal(command->signal));
    return for_each_container(command->names, [&](const std::string& name) { return kill(name, signal); });
  };
}

}  // namespace vmfs
