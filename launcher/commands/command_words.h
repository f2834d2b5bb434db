// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/command_line.h"
#include "launcher/container/environment.h"

namespace vmfs {

// What `run` and `exec` share.

/// Takes the command with its options, an optional "--" before it, from what the verb has left over, and
/// carries the verb out: its status; 2 where an option is unknown, and 125 where it fails, with a line on
/// standard error.
[[nodiscard]] Result<int> run_command(const CommandLine& line, std::vector<std::string>& command,
                                      const std::function<Result<int>()>& run);

/// This process's.
[[nodiscard]] Environment environment_of_caller();

/// The texts of --env-file. Errors: of open(2).
[[nodiscard]] Result<std::vector<std::string>> read_environment_files(const std::vector<std::string>& paths);

}  // namespace vmfs
