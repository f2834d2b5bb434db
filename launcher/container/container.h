// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/container/image_server.h"
#include "launcher/container/plan.h"

namespace vmfs {

/// Makes sure that descriptors 0 to 2 exist, so that no other file gets such a number. Call it before any is
/// opened.
void complete_standard_streams();

/// Runs a container as the plan says, on the tree that `look` gives to the process that serves it, and waits
/// for its end: the exit status of its program, or 125, 126, 127 with a line on standard error. Signals go to
/// the container. Call it while there is one thread only. Whatever ends this process ends the container.
[[nodiscard]] Result<int> run_container(const Plan& plan, const Look& look);

}  // namespace vmfs
