// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/container/plan.h"
#include "launcher/container/state.h"
#include "launcher/fd.h"

namespace vmfs {

/// The options of `vmfs exec` as they were written.
struct ExecOptions {
  std::vector<std::string> command = {};
  std::string user = {};     ///< empty: the container's
  std::string workdir = {};  ///< empty: the container's
  std::vector<std::string> environment = {};
  std::vector<std::string> environment_files = {};  ///< the texts of --env-file
  bool interactive = false;
  bool terminal = false;
  bool detach = false;
};

/// The plan of a command in a container that runs: what the container was started with, but for what the
/// options say. Pure. Errors: EINVAL with the option at fault.
[[nodiscard]] Result<Plan> make_exec_plan(const ExecOptions& options, const ContainerState& state,
                                          const Environment& caller);

/// What the launcher of a container tells those who are to enter it.
struct Entrances {
  std::vector<Fd> namespaces;
  Fd group;              ///< cgroup.procs; none: it has no cgroup
  bool limited = false;  ///< nobody may stay outside of the group
  bool set_groups = false;
};

/// From the descriptors of the answer to "join", see control.h. Errors: EPROTO.
[[nodiscard]] Result<Entrances> entrances_of(std::vector<Fd> descriptors, const ContainerState& state);

/// Runs the plan's command in a container, and waits for its end unless the plan says `detach`: its exit
/// status, or 125, 126, 127 with a line on standard error. It ends with this process, and with the container.
/// Call it while there is one thread only, as the user who started the container.
[[nodiscard]] Result<int> run_in_container(const Plan& plan, const Entrances& entrances);

}  // namespace vmfs
