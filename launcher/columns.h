// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace vmfs {

/// Rows of cells as lines of columns two spaces apart. The first row is the heading; columns that are empty
/// below it are left out.
[[nodiscard]] std::string columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace vmfs
