// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include <sys/types.h>
#include <time.h>

#include "formats/result.h"

namespace vmfs {

/// "5", "+5" or "-5": exactly, more or less than.
struct NumberTest {
  enum class Kind : std::uint8_t { equal, more, less };
  Kind kind = Kind::equal;
  std::uint64_t number = 0;

  [[nodiscard]] bool operator()(std::uint64_t value) const;
};

/// -size: in units, a begun one counts as whole.
struct SizeTest {
  NumberTest number;
  std::uint64_t unit = 512;

  [[nodiscard]] bool operator()(std::uint64_t size) const;
};

/// -perm: "644" exactly, "-644" all of these bits, "/644" any of these (true for none).
struct PermissionTest {
  enum class Kind : std::uint8_t { exact, all, any };
  Kind kind = Kind::exact;
  mode_t bits = 0;
  mode_t directory_bits = 0;  ///< for directories, where an X means something else

  [[nodiscard]] bool operator()(mode_t mode) const;
};

/// -mtime: the age in days, what is more than a day's begin cut off.
struct DaysTest {
  NumberTest days;

  [[nodiscard]] bool operator()(const timespec& time, const timespec& now) const;
};

// What the words of an expression say. Errors: EINVAL, with the text to print.
[[nodiscard]] Result<NumberTest> parse_number_test(std::string_view word);
[[nodiscard]] Result<SizeTest> parse_size_test(std::string_view word);
[[nodiscard]] Result<PermissionTest> parse_permission_test(std::string_view word);

/// "2026-11-22", with " 08:30", ":15" and ".5" behind it, and "Z" or "+0100", else local time; or "@" and the
/// seconds since the epoch. Errors: EINVAL.
[[nodiscard]] Result<timespec> parse_time(std::string_view word);

/// Whether `a` is before `b`.
[[nodiscard]] bool is_before(const timespec& a, const timespec& b);

}  // namespace vmfs
