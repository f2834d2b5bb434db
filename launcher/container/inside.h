// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/container/cgroup.h"
#include "launcher/container/fuse_overlay.h"
#include "launcher/container/id_map.h"
#include "launcher/container/init.h"
#include "launcher/container/plan.h"
#include "launcher/container/report.h"
#include "launcher/container/streams.h"
#include "launcher/fd.h"

namespace vmfs {

/// What the processes of a container share from their common ancestor.
struct Setup {
  const Plan& plan;
  const IdMaps& maps;
  const Streams& streams;
  Report& report;
  Group& group;
  Fd& console;               ///< where namespaces and the other side of the container's terminal go
  std::vector<Fd>& volumes;  ///< open_volumes(); the server fills it unless that is done
  FuseOverlay& overlay;      ///< the server fills it
  Fd& lifeline;              ///< readable, at its end, once the process that waits for the container is gone
};

/// The whole life of a container's first process, in its own namespaces: all that is left to set up, then the
/// program. Failures go to the report.
[[noreturn]] void live_inside(const Setup& setup);

/// The last steps of a process that is to execute the plan's program, in the container's root: a terminal of
/// its own where the plan wants one, the user, no descriptor but the standard streams and the report, the
/// bounds of what programs may do. `set_groups`: the user namespace allows setgroups(2). `is_console` and
/// `stop_signal`: see terminal.h.
[[nodiscard]] Result<void> give_terminal(const Plan& plan, const Fd& console, bool is_console,
                                         int stop_signal);
[[nodiscard]] Result<Program> become_program(const Plan& plan, bool set_groups, Report& report);

/// Ends this process with its parent: prctl(2) PR_SET_PDEATHSIG. Any change of ids undoes it.
void die_with_parent(const Fd& lifeline);

}  // namespace vmfs
