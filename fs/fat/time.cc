// SPDX-License-Identifier: MIT
#include "fs/fat/time.h"

#include <algorithm>
#include <array>

namespace vmfs::fat {
namespace {

constexpr std::array<std::int64_t, 16> days_before_month = {0,   0,   31,  59,  90,  120, 151, 181,
                                                            212, 243, 273, 304, 334, 0,   0,   0};
constexpr std::int64_t days_to_1980 = 365 * 10 + 2;
constexpr std::int64_t year_2100 = 120;  // from 1980; no leap year

}  // namespace

timespec to_time(std::uint16_t date, std::uint16_t time, std::uint8_t hundredths) {
  const std::int64_t year = date >> 9U;
  const auto month = static_cast<std::size_t>(std::max(1U, (date >> 5U) & 0xfU));
  const std::int64_t day = std::max(1U, date & 0x1fU) - 1;
  std::int64_t leap_days = (year + 3) / 4;
  if (year > year_2100) --leap_days;
  if (year % 4 == 0 && year != year_2100 && month > 2) ++leap_days;
  const std::int64_t days = year * 365 + leap_days + days_before_month[month] + day + days_to_1980;
  timespec out{};
  out.tv_sec = days * 86400 + (time >> 11U) * 3600 + ((time >> 5U) & 0x3fU) * 60 + (time & 0x1fU) * 2 +
               hundredths / 100;
  out.tv_nsec = hundredths % 100 * 10'000'000L;
  return out;
}

}  // namespace vmfs::fat
