// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/commands/commands.h"
#include "launcher/commands/each_container.h"
#include "launcher/container/lookup.h"

namespace vmfs {
namespace {

struct StopCommand {
  std::vector<std::string> names;
  std::optional<unsigned> seconds;
};

Result<void> stop(const std::string& name, const std::optional<unsigned>& seconds) {
  const FoundContainer found = TRY(find_container(name));
  return stop_container(found, seconds.value_or(found.state.stop_timeout));
}

}  // namespace

Command add_stop(CommandLine line) {
  auto command = std::make_shared<StopCommand>();
  line.arguments("NAME", command->names, "containers, by name");
  line.option("-t,--time", command->seconds,
              "seconds a container has to end before it is killed; default: what `vmfs run` was told, or 10",
              "SECONDS");
  return [command] {
    return for_each_container(command->names,
                              [&](const std::string& name) { return stop(name, command->seconds); });
  };
}

}  // namespace vmfs
