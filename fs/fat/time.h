// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <time.h>

namespace vmfs::fat {

/// Date and time of a directory entry as Linux takes them, as UTC: a month or day 0 counts as the first,
/// months behind December as if no day of the year had passed. `hundredths` are of a second, up to 199.
[[nodiscard]] timespec to_time(std::uint16_t date, std::uint16_t time, std::uint8_t hundredths);

}  // namespace vmfs::fat
