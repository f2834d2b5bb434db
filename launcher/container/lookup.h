// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "formats/result.h"
#include "launcher/container/registry.h"
#include "launcher/fd.h"

namespace vmfs {

/// A container that was asked for by name.
struct FoundContainer {
  ContainerFolder folder;
  ContainerState state;
  Fd launcher;  ///< readable once the launcher has ended; none if the container has
};

/// Errors: ENOENT for a name that no container has.
[[nodiscard]] Result<FoundContainer> find_container(const std::string& name);

/// The same for one that runs. Errors: ESRCH too, for one that does not.
[[nodiscard]] Result<FoundContainer> find_running(const std::string& name);

/// Sends a signal to the first process of a container that runs. Errors: ESRCH if it has ended, EPERM.
[[nodiscard]] Result<void> signal_container(const FoundContainer& container, int signal);

/// Waits until nothing of a container runs any more, at most so many milliseconds (below 0: for ever). False:
/// it still does.
[[nodiscard]] bool await_end(const FoundContainer& container, int timeout);

/// Asks a container to end, and ends it if it has not after some time. Errors: ETIMEDOUT where even that
/// fails.
[[nodiscard]] Result<void> stop_container(const FoundContainer& container, unsigned seconds);

}  // namespace vmfs
