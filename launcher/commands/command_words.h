// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "formats/result.h"
#include "launcher/container/environment.h"

namespace vmfs {

// What `run` and `exec` share.

/// Takes the command with its options, an optional "--" before it, from what the verb has left over, and
/// carries the verb out: its status; 2 where an option is unknown, and 125 where it fails, with a line on
/// standard error.
[[nodiscard]] Result<int> run_command(const CLI::App& verb, std::vector<std::string>& command,
                                      const std::function<Result<int>()>& run);

/// An option that may be given several times, with one value each.
CLI::Option* add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                      const std::string& description, const std::string& type);

/// Of an option with one value that is given several times, the last counts, as podman has it. Call it once
/// the verb has all its options.
void let_the_last_count(CLI::App& verb);

/// This process's.
[[nodiscard]] Environment environment_of_caller();

/// The texts of --env-file. Errors: of open(2).
[[nodiscard]] Result<std::vector<std::string>> read_environment_files(const std::vector<std::string>& paths);

}  // namespace vmfs
