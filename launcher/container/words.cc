// SPDX-License-Identifier: MIT
#include "launcher/container/words.h"

namespace vmfs {

std::vector<std::string> split_words(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = text.find(separator);
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) words.emplace_back();
  }
  return words;
}

std::string absolute_path(const std::string& path, const std::string& directory) {
  return path.empty() || path.starts_with('/') ? path : directory + "/" + path;
}

}  // namespace vmfs
