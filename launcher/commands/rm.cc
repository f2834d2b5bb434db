// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "launcher/commands/commands.h"
#include "launcher/commands/each_container.h"
#include "launcher/container/lookup.h"

namespace vmfs {
namespace {

struct RmCommand {
  std::vector<std::string> names;
  bool force = false;
};

Result<void> remove(const std::string& name, bool force) {
  const FoundContainer found = TRY(find_container(name));
  if (found.state.status != ContainerState::Status::exited) {
    if (!force)
      return fail(EBUSY, "{}: the container runs; `vmfs stop {}` ends it, or `vmfs rm -f`", name, name);
    TRY(stop_container(found, 0));
  }
  return TRY(Registry::open()).remove(name);
}

}  // namespace

Command add_rm(CommandLine line) {
  auto command = std::make_shared<RmCommand>();
  line.arguments("NAME", command->names, "containers that have ended, by name");
  line.flag("-f,--force", command->force, "kill those that still run");
  return [command] {
    return for_each_container(command->names,
                              [&](const std::string& name) { return remove(name, command->force); });
  };
}

}  // namespace vmfs
