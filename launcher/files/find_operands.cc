// SPDX-License-Identifier: MIT
#include "launcher/files/find_operands.h"

#include <cerrno>
#include <charconv>
#include <optional>

#include <sys/stat.h>

namespace vmfs {
namespace {

constexpr mode_t all_bits = 07777;

std::optional<std::uint64_t> whole_number(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  const auto number = whole_number(text.substr(0, count));
  if (number) text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

/// One symbolic mode, such as "u+rw,go=r", applied to no bits at all.
class SymbolicMode {
 public:
  explicit SymbolicMode(bool directory) : directory_(directory) {}

  [[nodiscard]] std::optional<mode_t> parse(std::string_view text) {
    do {
      if (!clause(text)) return std::nullopt;
    } while (take(text, ','));
    if (!text.empty()) return std::nullopt;
    return bits_;
  }

 private:
  static mode_t who_bits(char letter) {
    switch (letter) {
      case 'u':
        return S_ISUID | S_IRWXU;
      case 'g':
        return S_ISGID | S_IRWXG;
      case 'o':
        return S_IRWXO;
      case 'a':
        return all_bits;
      default:
        return 0;
    }
  }

  [[nodiscard]] mode_t what_bits(char letter) const {
    switch (letter) {
      case 'r':
        return S_IRUSR | S_IRGRP | S_IROTH;
      case 'w':
        return S_IWUSR | S_IWGRP | S_IWOTH;
      case 'x':
        return S_IXUSR | S_IXGRP | S_IXOTH;
      case 'X':
        return directory_ || (bits_ & 0111U) != 0 ? 0111 : 0;
      case 's':
        return S_ISUID | S_ISGID;
      case 't':
        return S_ISVTX;
      default:
        return 0;
    }
  }

  bool clause(std::string_view& text) {
    mode_t who = 0;
    while (!text.empty() && who_bits(text.front()) != 0) {
      who |= who_bits(text.front());
      text.remove_prefix(1);
    }
    if (who == 0) who = all_bits;
    // The sticky bit is nobody's, and goes with any of them.
    who |= S_ISVTX;
    bool any = false;
    while (!text.empty() && std::string_view("+-=").contains(text.front())) {
      any = true;
      operation(text, who);
    }
    return any;
  }

  void operation(std::string_view& text, mode_t who) {
    const char how = text.front();
    text.remove_prefix(1);
    mode_t what = 0;
    while (!text.empty() && std::string_view("rwxXst").contains(text.front())) {
      what |= what_bits(text.front());
      text.remove_prefix(1);
    }
    if (how == '=') bits_ &= ~who;
    if (how == '-') {
      bits_ &= ~(who & what);
    } else {
      bits_ |= who & what;
    }
  }

  const bool directory_;
  mode_t bits_ = 0;
};

std::optional<timespec> parse_epoch(std::string_view text) {
  const bool negative = take(text, '-');
  const std::size_t point = text.find('.');
  const auto seconds = whole_number(text.substr(0, point));
  if (!seconds || *seconds > INT64_MAX) return std::nullopt;
  long nanoseconds = 0;
  if (point != std::string_view::npos) {
    std::string digits(text.substr(point + 1));
    if (digits.empty() || !whole_number(digits)) return std::nullopt;
    digits.resize(9, '0');
    nanoseconds = static_cast<long>(*whole_number(digits));
  }
  timespec time{.tv_sec = static_cast<time_t>(*seconds), .tv_nsec = nanoseconds};
  if (negative) {
    time.tv_sec = -time.tv_sec - (nanoseconds != 0 ? 1 : 0);
    time.tv_nsec = nanoseconds != 0 ? 1'000'000'000 - nanoseconds : 0;
  }
  return time;
}

/// The clock behind a date; nothing where there is something else.
bool take_clock(std::string_view& text, tm& local, long& nanoseconds) {
  if (!take(text, ' ') && !take(text, 'T')) return true;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return false;
  local.tm_hour = static_cast<int>(*hour);
  local.tm_min = static_cast<int>(*minute);
  if (!take(text, ':')) return true;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return false;
  local.tm_sec = static_cast<int>(*second);
  if (!take(text, '.')) return true;
  std::string digits(text.substr(0, text.find_first_not_of("0123456789")));
  text.remove_prefix(digits.size());
  if (digits.empty()) return false;
  digits.resize(9, '0');
  nanoseconds = static_cast<long>(*whole_number(digits));
  return true;
}

/// Seconds east of Greenwich behind a clock; nothing for local time.
bool take_zone(std::string_view& text, std::optional<long>& offset) {
  while (take(text, ' ')) {
  }
  if (take(text, 'Z')) {
    offset = 0;
    return true;
  }
  const bool west = text.starts_with('-');
  if (!take(text, '+') && !take(text, '-')) return true;
  const auto hours = take_digits(text, 2);
  (void)take(text, ':');
  const auto minutes = text.empty() ? std::optional<std::uint64_t>(0) : take_digits(text, 2);
  if (!hours || !minutes || *hours > 24 || *minutes > 59) return false;
  const auto seconds = static_cast<long>(*hours * 3600 + *minutes * 60);
  offset = west ? -seconds : seconds;
  return true;
}

}  // namespace

bool NumberTest::operator()(std::uint64_t value) const {
  return kind == Kind::equal ? value == number : kind == Kind::more ? value > number : value < number;
}

bool SizeTest::operator()(std::uint64_t size) const {
  return number(size / unit + (size % unit != 0 ? 1 : 0));
}

bool PermissionTest::operator()(mode_t mode) const {
  const mode_t wanted = S_ISDIR(mode) ? directory_bits : bits;
  const mode_t got = mode & all_bits;
  if (kind == Kind::all) return (got & wanted) == wanted;
  if (kind == Kind::any) return wanted == 0 || (got & wanted) != 0;
  return got == wanted;
}

bool DaysTest::operator()(const timespec& time, const timespec& now) const {
  constexpr std::uint64_t day = 86400;
  const auto days_before = [&](std::uint64_t count) {
    const auto seconds = static_cast<time_t>(std::min<std::uint64_t>(count, UINT32_MAX) * day);
    return timespec{.tv_sec = now.tv_sec - seconds, .tv_nsec = now.tv_nsec};
  };
  const timespec begin = days_before(days.number + 1);
  timespec end = days_before(days.number);
  switch (days.kind) {
    case NumberTest::Kind::more:
      return is_before(time, begin);
    case NumberTest::Kind::less:
      // find gives it one second more.
      --end.tv_sec;
      return is_before(end, time);
    case NumberTest::Kind::equal:
      break;
  }
  return is_before(begin, time) && !is_before(end, time);
}

Result<NumberTest> parse_number_test(std::string_view word) {
  NumberTest test;
  std::string_view digits = word;
  if (take(digits, '+')) {
    test.kind = NumberTest::Kind::more;
  } else if (take(digits, '-')) {
    test.kind = NumberTest::Kind::less;
  }
  const auto number = whole_number(digits);
  if (!number) return fail(EINVAL, "'{}' is not a number", word);
  test.number = *number;
  return test;
}

Result<SizeTest> parse_size_test(std::string_view word) {
  constexpr std::string_view letters = "bcwkMG";
  constexpr std::uint64_t units[] = {512, 1, 2, 1024, 1U << 20, 1U << 30};
  SizeTest test;
  const std::size_t letter = word.empty() ? std::string_view::npos : letters.find(word.back());
  if (letter != std::string_view::npos) {
    test.unit = units[letter];
    word.remove_suffix(1);
  }
  const auto number = parse_number_test(word);
  if (!number) return fail(EINVAL, "'{}' is not a size: a number and one of b, c, w, k, M, G", word);
  test.number = *number;
  return test;
}

Result<PermissionTest> parse_permission_test(std::string_view word) {
  PermissionTest test;
  std::string_view text = word;
  if (take(text, '-')) {
    test.kind = PermissionTest::Kind::all;
  } else if (take(text, '/')) {
    test.kind = PermissionTest::Kind::any;
  }
  if (const auto number = whole_number(text, 8); number && *number <= all_bits) {
    test.bits = test.directory_bits = static_cast<mode_t>(*number);
    return test;
  }
  const auto bits = SymbolicMode(false).parse(text);
  const auto directory_bits = SymbolicMode(true).parse(text);
  if (!bits || !directory_bits) return fail(EINVAL, "'{}' is not a mode", word);
  test.bits = *bits;
  test.directory_bits = *directory_bits;
  return test;
}

Result<timespec> parse_time(std::string_view word) {
  std::string_view text = word;
  const auto wrong = fail(EINVAL, "'{}' is not a time: YYYY-MM-DD HH:MM:SS, or @ and seconds", word);
  if (take(text, '@')) {
    const auto time = parse_epoch(text);
    if (!time) return wrong;
    return *time;
  }
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return wrong;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return wrong;
  const auto day = take_digits(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return wrong;
  tm local{};
  local.tm_year = static_cast<int>(*year) - 1900;
  local.tm_mon = static_cast<int>(*month) - 1;
  local.tm_mday = static_cast<int>(*day);
  local.tm_isdst = -1;
  timespec time{};
  std::optional<long> offset;
  if (!take_clock(text, local, time.tv_nsec) || !take_zone(text, offset) || !text.empty()) return wrong;
  time.tv_sec = offset ? ::timegm(&local) - *offset : ::mktime(&local);
  return time;
}

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace vmfs
