// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "launcher/files/find_expression.h"

namespace vmfs {

/// The text that a format gives of a file.
using FindFormat = std::function<std::string(const WalkEntry& entry)>;

/// Parses a format of find's -printf: all escapes, and of the directives those that an image can answer,
/// without %F, %D, %S and %Z. `context` must outlive the result. Errors: EINVAL with the text to print.
[[nodiscard]] Result<FindFormat> parse_find_format(std::string_view format, const FindContext& context);

}  // namespace vmfs
