// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/container/passwd.h"
#include "launcher/container/plan.h"
#include "launcher/container/report.h"

namespace vmfs {

/// What is executed in a container once all is set up.
struct Program {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string workdir;
  User user;
  Privileges privileges;
  bool may_set_groups = true;  ///< the user namespace allows setgroups(2)
  bool terminal = false;       ///< descriptor 0 is a terminal for it alone
  bool ends_with_parent = false;
};

/// Executes the program, found through its own PATH, as its user in a session of its own. Returns only if
/// that fails, with the exit status that podman and shells give then: 127 where there is none, 126 where it
/// cannot be executed.
[[nodiscard]] Failure execute(const Program& program);

/// Is PID 1: starts the program as a child in a session of its own, hands on the signals it gets (those of a
/// keyboard to the whole group of the program, as a terminal does), buries orphans, and ends with the
/// program's status. `report` is closed once the program runs.
[[noreturn]] void run_as_init(const Program& program, Report& report);

/// Makes the words that /proc/PID/cmdline and environ show of this process unreadable: they are the
/// machine's.
void hide_command_line(const std::string& name);

}  // namespace vmfs
