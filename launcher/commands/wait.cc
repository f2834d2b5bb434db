// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "launcher/commands/commands.h"
#include "launcher/container/control.h"
#include "launcher/container/lookup.h"

namespace vmfs {
namespace {

// The launcher tells the status before the state is gone with the container.
Result<int> wait(const std::string& name) {
  const FoundContainer found = TRY(find_container(name));
  if (found.state.status == ContainerState::Status::exited) return found.state.exit_status;
  const auto control = connect_control(found.folder.folder());
  while (control) {
    const auto message = receive_message(*control);
    if (!message || message->text.empty()) break;
    if (const int status = ended_status(*message); status >= 0) return status;
  }
  const auto later = found.folder.read();
  if (later && later->status == ContainerState::Status::exited) return later->exit_status;
  return fail(ESRCH, "{}: the container was killed; nobody knows its exit status", name);
}

}  // namespace

Command add_wait(CommandLine line) {
  auto names = std::make_shared<std::vector<std::string>>();
  line.arguments("NAME", *names, "containers, by name");
  return [names]() -> Result<int> {
    for (const std::string& name : *names) {
      const int status = TRY(wait(name));
      fmt::print("{}\n", status);
      std::fflush(stdout);
    }
    return 0;
  };
}

}  // namespace vmfs
