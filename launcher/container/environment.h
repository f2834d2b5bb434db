// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/result.h"

namespace vmfs {

using Environment = std::map<std::string, std::string>;

/// Adds what -e says: NAME=VALUE; NAME alone takes the caller's value, NAME* that of all that begin so, if
/// there are any. Errors: EINVAL with the text.
[[nodiscard]] Result<void> add_variable(Environment& environment, const std::string& text,
                                        const Environment& caller);

/// Adds what the texts of --env-file list, a variable a line, and then what -e says.
[[nodiscard]] Result<void> add_variables(Environment& environment, const std::vector<std::string>& files,
                                         const std::vector<std::string>& options, const Environment& caller);

}  // namespace vmfs
