// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/container/plan.h"
#include "launcher/fd.h"

namespace vmfs {

/// Takes hold of the sources of a plan's volumes, in its order, as mounts that are attached nowhere. Call it
/// where the machine's tree is in sight. Errors: what open(2) says, with the path.
[[nodiscard]] Result<std::vector<Fd>> open_volumes(const Plan& plan);

/// Root's choice: owners show inside as they are outside, though the ids of the container's user namespace,
/// that of the process `server`, are others. What cannot do so is warned of, and shows owners as nobody.
void map_owners(const Plan& plan, const std::vector<Fd>& volumes, pid_t server, const Warn& warn);

/// Attaches the volumes and the directories in memory inside the container's root. Mount points are made if
/// missing.
[[nodiscard]] Result<void> attach_volumes(const Plan& plan, const std::vector<Fd>& volumes);

}  // namespace vmfs
