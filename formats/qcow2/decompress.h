// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "formats/qcow2/header.h"
#include "formats/result.h"

namespace vmfs::qcow2 {

/// Unpacks one cluster. `packed` may go on behind the end of the compressed data; `into` must be filled
/// exactly. Errors: EIO (damaged data), ENOMEM. Safe for concurrent use by multiple threads.
[[nodiscard]] Result<void> decompress(Compression compression, std::span<const std::byte> packed,
                                      std::span<std::byte> into);

}  // namespace vmfs::qcow2
