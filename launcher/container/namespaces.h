// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "formats/result.h"
#include "launcher/container/id_map.h"
#include "launcher/fd.h"

namespace vmfs {

/// The namespaces of this process, in the order in which they can be joined. Call it where the machine's
/// /proc is in sight. Errors: of open(2).
[[nodiscard]] Result<std::vector<Fd>> open_own_namespaces();

/// How many open_own_namespaces() gives.
constexpr std::size_t namespace_count = 7;

/// Enters namespaces that open_own_namespaces() gave; children will be in its pid namespace, this process
/// stays outside. It is root there, with all capabilities. Call it while there is one thread only, in the
/// user namespace in which the container was started, as the user who started it. Errors: EPERM for others.
[[nodiscard]] Result<void> join_namespaces(std::span<const Fd> namespaces);

/// Becomes root of the user namespace this process is in. Errors: of setresuid(2).
[[nodiscard]] Result<void> become_root(bool set_groups);

}  // namespace vmfs
