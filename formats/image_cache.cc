// SPDX-License-Identifier: MIT
#include "formats/image_cache.h"

#include <cerrno>
#include <charconv>
#include <cmath>

namespace vmfs {

Result<std::size_t> parse_cache_size(std::string_view text) {
  constexpr std::string_view units = "BKMGTPE";
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  double factor = 1;
  bool understood = code == std::errc{} && number >= 0 && end - rest <= 1;
  if (understood && rest != end) {
    const char unit = *rest >= 'a' && *rest <= 'z' ? static_cast<char>(*rest - 'a' + 'A') : *rest;
    const auto power = units.find(unit);
    understood = power != std::string_view::npos;
    factor = std::pow(1024.0, static_cast<double>(power));
  }
  if (understood && number * factor <= static_cast<double>(ImageCache::largest_size))
    return static_cast<std::size_t>(number * factor);
  return fail(EINVAL, "a size from 0 to 1G is wanted, such as 64M");
}

}  // namespace vmfs
