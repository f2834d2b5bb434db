// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "formats/result.h"

namespace vmfs {

/// Carries a verb out after its options were parsed; the value is the exit status.
using Command = std::function<Result<int>()>;

/// What stands for "--" in the words of a verb that takes a command: CLI11 would hand what follows to the
/// program itself.
constexpr const char* command_separator = "\x1f--";

// One function a verb, in the file of its name: adds the options and returns what carries it out.
[[nodiscard]] Command add_attach(CLI::App& verb);
[[nodiscard]] Command add_cat(CLI::App& verb);
[[nodiscard]] Command add_cp(CLI::App& verb);
[[nodiscard]] Command add_diff(CLI::App& verb);
[[nodiscard]] Command add_exec(CLI::App& verb);
[[nodiscard]] Command add_find(CLI::App& verb);
[[nodiscard]] Command add_hash(CLI::App& verb);
[[nodiscard]] Command add_inspect(CLI::App& verb);
[[nodiscard]] Command add_kill(CLI::App& verb);
[[nodiscard]] Command add_logs(CLI::App& verb);
[[nodiscard]] Command add_ls(CLI::App& verb);
[[nodiscard]] Command add_mount(CLI::App& verb);
[[nodiscard]] Command add_ps(CLI::App& verb);
[[nodiscard]] Command add_rm(CLI::App& verb);
[[nodiscard]] Command add_run(CLI::App& verb);
[[nodiscard]] Command add_stat(CLI::App& verb);
[[nodiscard]] Command add_stop(CLI::App& verb);
[[nodiscard]] Command add_tar(CLI::App& verb);
[[nodiscard]] Command add_umount(CLI::App& verb);
[[nodiscard]] Command add_wait(CLI::App& verb);

}  // namespace vmfs
