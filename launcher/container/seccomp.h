// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include <linux/filter.h>

#include "formats/result.h"
#include "launcher/container/capabilities.h"

namespace vmfs {

/// Lets this process and its children make the system calls that programs of a container need, as podman's
/// default filter: what needs a capability passes where the capability is among `capabilities`, known dangers
/// give EPERM, and what the list does not know does not exist (ENOSYS), so that programs fall back. Needs
/// CAP_SYS_ADMIN or no_new_privs. Errors: EINVAL where the kernel lacks seccomp filters.
[[nodiscard]] Result<void> install_seccomp_filter(const Capabilities& capabilities);

/// The filter for these capabilities if the program was built with it; else nothing.
[[nodiscard]] std::span<const sock_filter> computed_seccomp_filter(const Capabilities& capabilities);

}  // namespace vmfs
