// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fs/fat/format.h"

namespace vmfs::fat {

/// A name of 8 + 3 characters as Linux shows it (codepage=437, utf8, shortname=mixed): in UTF-8, a part in
/// lower case where the entry says so. Empty for blanks alone.
[[nodiscard]] std::string short_name(const DirEntry& entry);

/// The 11 characters of a volume label, in UTF-8 and without the blanks behind it.
[[nodiscard]] std::string label_text(const DirEntry& entry);

/// UTF-16 up to the first zero as UTF-8; halves of a character are left out, as Linux does.
[[nodiscard]] std::string long_name(std::span<const char16_t> units);

/// The sum over the short name that the parts of a long one carry.
[[nodiscard]] std::uint8_t name_checksum(const DirEntry& entry);

/// Whether two names are the same but for the case of ASCII letters.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b);

}  // namespace vmfs::fat
