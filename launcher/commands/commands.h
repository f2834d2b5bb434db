// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "formats/result.h"
#include "launcher/command_line.h"

namespace vmfs {

/// Carries a verb out after its options were parsed; the value is the exit status.
using Command = std::function<Result<int>()>;

// One function a verb, in the file of its name: adds the options and returns what carries it out.
[[nodiscard]] Command add_attach(CommandLine line);
[[nodiscard]] Command add_cat(CommandLine line);
[[nodiscard]] Command add_cp(CommandLine line);
[[nodiscard]] Command add_diff(CommandLine line);
[[nodiscard]] Command add_exec(CommandLine line);
[[nodiscard]] Command add_find(CommandLine line);
[[nodiscard]] Command add_hash(CommandLine line);
[[nodiscard]] Command add_inspect(CommandLine line);
[[nodiscard]] Command add_kill(CommandLine line);
[[nodiscard]] Command add_logs(CommandLine line);
[[nodiscard]] Command add_ls(CommandLine line);
[[nodiscard]] Command add_mount(CommandLine line);
[[nodiscard]] Command add_ps(CommandLine line);
[[nodiscard]] Command add_rm(CommandLine line);
[[nodiscard]] Command add_run(CommandLine line);
[[nodiscard]] Command add_stat(CommandLine line);
[[nodiscard]] Command add_stop(CommandLine line);
[[nodiscard]] Command add_tar(CommandLine line);
[[nodiscard]] Command add_umount(CommandLine line);
[[nodiscard]] Command add_wait(CommandLine line);

}  // namespace vmfs
