// SPDX-License-Identifier: MIT
#include "fs/guest/fstab.h"

#include <algorithm>
#include <array>

namespace vmfs {
namespace {

constexpr std::size_t max_entries = 512;
constexpr std::string_view blanks = " \t\r";

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/// A backslash and three octal digits stand for a byte, two backslashes for one (getmntent(3)).
std::string unescape(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const std::string_view rest = field.substr(i);
    if (rest.size() >= 4 && rest[0] == '\\' && rest[1] <= '3' &&
        std::ranges::all_of(rest.substr(1, 3), is_octal)) {
      out += static_cast<char>((rest[1] - '0') * 64 + (rest[2] - '0') * 8 + (rest[3] - '0'));
      i += 3;
    } else {
      out += rest[0];
      if (rest.starts_with("\\\\")) ++i;
    }
  }
  return out;
}

/// The next field of a line, empty at its end.
std::string_view take_field(std::string_view& line) {
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(blanks)));
  const std::string_view field = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(field.size());
  return field;
}

}  // namespace

std::vector<FstabEntry> parse_fstab(std::string_view text, const Warn& warn) {
  std::vector<FstabEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::string_view, 4> fields;
    std::ranges::generate(fields, [&] { return take_field(line); });
    if (fields[0].empty() || fields[0].front() == '#') continue;
    if (fields[2].empty()) {
      warn(fmt::format("fstab: line {} has too few fields", number));
      continue;
    }
    if (entries.size() == max_entries) {
      warn(fmt::format("fstab: line {} and those behind it are ignored: more than {} entries", number,
                       max_entries));
      break;
    }
    entries.push_back({.device = unescape(fields[0]),
                       .directory = unescape(fields[1]),
                       .type = unescape(fields[2]),
                       .options = fields[3].empty() ? "defaults" : unescape(fields[3])});
  }
  return entries;
}

bool has_mount_option(std::string_view options, std::string_view word) {
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), option.size() + 1));
    if (option == word || (word.ends_with('=') && option.starts_with(word))) return true;
  }
  return false;
}

}  // namespace vmfs
