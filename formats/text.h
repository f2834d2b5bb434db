// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vmfs {

/// A size for people, as `ls -h` and lsblk write it: "512", "1.5K", "8G".
[[nodiscard]] std::string human_size(std::uint64_t bytes);

/// The length of the UTF-8 sequence that begins `text`; 0 where that is none, or a control character.
[[nodiscard]] std::size_t character_length(std::string_view text);

/// Text from an image, safe to print on a terminal: control characters and broken UTF-8 as "\xNN".
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace vmfs
