// SPDX-License-Identifier: MIT
#pragma once

namespace vmfs {

/// Where the caller's own cgroup cannot be divided but systemd(1) gives out such that can: executes this
/// program again, with its arguments, in a scope of its own (systemd-run(1)). Returns where that is not
/// needed or not possible; then Group::make() says what to do.
void move_to_scope();

}  // namespace vmfs
