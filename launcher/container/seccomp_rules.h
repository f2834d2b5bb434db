// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <linux/filter.h>
#include <seccomp.h>

#include "formats/result.h"
#include "launcher/container/capabilities.h"

namespace vmfs {

using SeccompFilter = std::vector<sock_filter>;

/// What the kernel is given of libseccomp's `filter`. Errors: those of libseccomp, memfd_create(2).
[[nodiscard]] Result<SeccompFilter> read_program(scmp_filter_ctx filter);

/// Those of the capabilities that make a difference to the filter.
[[nodiscard]] Capabilities deciding_capabilities(const Capabilities& capabilities);

/// Computes the filter of a container whose programs can have these capabilities: it takes longer than
/// everything else at the start of a container.
[[nodiscard]] Result<SeccompFilter> compile_seccomp_filter(const Capabilities& capabilities);

}  // namespace vmfs
