// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include <sys/capability.h>

#include "formats/result.h"

namespace vmfs {

using Capabilities = std::set<cap_value_t>;

/// podman's default set: what services need, nothing that reconfigures a system. All of them count in the
/// container's user namespace only.
[[nodiscard]] const Capabilities& default_capabilities();

/// What an init has: reboot(2) of a pid namespace only ends that.
[[nodiscard]] const Capabilities& boot_capabilities();

/// Whoever executes programs in this process and its children can never get others than these.
[[nodiscard]] Result<void> bound_capabilities(const Capabilities& kept);

/// What the process itself has from now on, and what of it outlasts the execution of programs by users other
/// than root.
[[nodiscard]] Result<void> set_capabilities(const Capabilities& kept, const Capabilities& ambient);

}  // namespace vmfs
