// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmfs {

/// The parts between separators, empty ones included; the empty text has none.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text, char separator);

/// The path seen from `directory`; the empty path stays empty.
[[nodiscard]] std::string absolute_path(const std::string& path, const std::string& directory);

}  // namespace vmfs
