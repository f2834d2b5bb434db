// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "formats/source.h"

namespace vmfs {

/// A run of bytes of a file that is no hole.
struct DataRun {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Where a file holds data, in ascending order; neighbours are merged. Errors: as Source::map().
[[nodiscard]] Result<std::vector<DataRun>> find_data_runs(const Source& source);

}  // namespace vmfs
