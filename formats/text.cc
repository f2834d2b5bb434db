// SPDX-License-Identifier: MIT
#include "formats/text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace vmfs {

std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x20 || first == 0x7f) return 0;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (first >= 0xf5) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // C1 controls, surrogates and overlong forms.
  const bool bad = (first == 0xc2 && byte(1) < 0xa0) || (first == 0xe0 && byte(1) < 0xa0) ||
                   (first == 0xed && byte(1) >= 0xa0) || (first == 0xf0 && byte(1) < 0x90) ||
                   (first == 0xf4 && byte(1) >= 0x90);
  return bad ? 0 : length;
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array units = {"", "K", "M", "G", "T", "P", "E"};
  if (bytes < 1024) return fmt::format("{}", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  // One decimal below ten, and none where it would be a zero.
  const double tenths = std::round(value * 10) / 10;
  if (tenths < 10 && tenths != std::floor(tenths)) return fmt::format("{:.1f}{}", tenths, units[unit]);
  return fmt::format("{:.0f}{}", value, units[unit]);
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace vmfs
