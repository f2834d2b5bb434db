// SPDX-License-Identifier: MIT
#include "fs/guest/os_release.h"

#include <algorithm>

namespace vmfs {
namespace {

constexpr std::string_view blanks = " \t\r";

/// The value of an assignment: words of shell syntax up to the first blank outside quotes.
std::string unquote(std::string_view text) {
  std::string out;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && blanks.find(c) != std::string_view::npos) break;
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < text.size();
    if (escapes &&
        (quote == '\0' || std::string_view("$\"\\`").find(text[i + 1]) != std::string_view::npos)) {
      out.push_back(text[++i]);
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::map<std::string, std::string> parse_os_release(std::string_view text) {
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(blanks)));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !is_name(line.substr(0, equals))) continue;
    values[std::string(line.substr(0, equals))] = unquote(line.substr(equals + 1));
  }
  return values;
}

}  // namespace vmfs
