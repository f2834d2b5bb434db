// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace vmfs {

/// The assignments of an os-release(5) file, unquoted as a shell would; the last one of a name counts. Lines
/// that are none are skipped.
[[nodiscard]] std::map<std::string, std::string> parse_os_release(std::string_view text);

}  // namespace vmfs
