// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "formats/source.h"

namespace vmfs {

/// Receives contents piece by piece; false stops.
using ByteSink = std::function<bool(std::span<const std::byte>)>;

/// Reads a source from its begin to its end in pieces of at most 1 MiB. Errors: as read().
[[nodiscard]] Result<void> read_through(const Source& source, const ByteSink& sink);

/// Writes everything to a descriptor. Errors: those of write(2).
[[nodiscard]] Result<void> write_all(int fd, std::span<const std::byte> bytes);

/// Lets a pipe hold as much as an ordinary user may have in one, so that its writer and its reader wake each
/// other less often. What is no pipe, or may not grow, stays as it is.
void widen_pipe(int fd);

}  // namespace vmfs
