// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "formats/result.h"

namespace vmfs {

/// Does something to each container, and prints the name of each for which that went well. The others are
/// told of on standard error, and make the status 1.
[[nodiscard]] Result<int> for_each_container(const std::vector<std::string>& names,
                                             const std::function<Result<void>(const std::string&)>& action);

}  // namespace vmfs
