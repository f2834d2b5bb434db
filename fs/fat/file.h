// SPDX-License-Identifier: MIT
#pragma once

#include "fs/fat/allocation_table.h"

namespace vmfs::fat {

/// The contents of a file of this size whose chain begins at `start`. A chain that ends too early or leads
/// astray is an error of those reads that come there (EIO).
[[nodiscard]] Result<std::shared_ptr<const Source>> open_file(std::shared_ptr<const Volume> volume,
                                                              Cluster start, std::uint32_t size);

}  // namespace vmfs::fat
