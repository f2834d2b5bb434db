// SPDX-License-Identifier: MIT
#include "launcher/files/file_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/stat.h>

#include "formats/text.h"

namespace vmfs {
namespace {

std::string format_time(const char* format, const tm& time) {
  std::array<char, 64> text{};
  return {text.data(), ::strftime(text.data(), text.size(), format, &time)};
}

bool before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/// Whether a name with a single quote can stand in double quotes, as quotearg of gnulib has it.
bool fits_double_quotes(std::string_view name) {
  if (name.find_first_of("!\"$&()*;<=>?[\\^`{|}") != std::string_view::npos) return false;
  if (name.substr(1).find_first_of("#~") != std::string_view::npos) return false;
  while (!name.empty()) {
    const std::size_t length = character_length(name);
    if (length == 0) return false;
    name.remove_prefix(length);
  }
  return true;
}

std::string escaped_byte(char byte) {
  constexpr std::string_view known = "\a\b\t\n\v\f\r";
  const std::size_t index = known.find(byte);
  if (index != std::string_view::npos) return fmt::format("\\{}", "abtnvfr"[index]);
  return fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
}

}  // namespace

char type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'f';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    case S_IFBLK:
      return 'b';
    case S_IFCHR:
      return 'c';
    default:
      return '?';
  }
}

std::string mode_text(mode_t mode) {
  std::string text(10, '-');
  text[0] = S_ISREG(mode) ? '-' : type_letter(mode);
  constexpr std::string_view letters = "rwxrwxrwx";
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if ((mode & (0400U >> i)) != 0) text[i + 1] = letters[i];
  }
  const auto special = [&](mode_t bit, std::size_t at, char with, char without) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? with : without;
  };
  special(S_ISUID, 3, 's', 'S');
  special(S_ISGID, 6, 's', 'S');
  special(S_ISVTX, 9, 't', 'T');
  return text;
}

std::string_view type_text(mode_t mode, std::uint64_t size) {
  switch (type_letter(mode)) {
    case 'f':
      return size == 0 ? "regular empty file" : "regular file";
    case 'd':
      return "directory";
    case 'l':
      return "symbolic link";
    case 'p':
      return "fifo";
    case 's':
      return "socket";
    case 'b':
      return "block special file";
    case 'c':
      return "character special file";
    default:
      return "weird file";
  }
}

std::string_view type_word(mode_t mode) {
  switch (type_letter(mode)) {
    case 'f':
      return "file";
    case 'l':
      return "symlink";
    case 'b':
      return "block";
    case 'c':
      return "char";
    case '?':
      return "unknown";
    default:
      return type_text(mode, 1);
  }
}

std::string ls_size(std::uint64_t bytes) {
  constexpr std::string_view units = "KMGTPE";
  if (bytes < 1024) return fmt::format("{}", bytes);
  std::uint64_t unit = 1024;
  std::size_t index = 0;
  // 9.95 and more has no room for a tenth, 1023.01 and more none for its unit: both round up.
  while (index + 1 < units.size() && bytes > 1023 * unit) {
    unit *= 1024;
    ++index;
  }
  const std::uint64_t whole = bytes / unit;
  const std::uint64_t rest = bytes % unit;
  const std::uint64_t tenths = whole * 10 + (rest * 10 + unit - 1) / unit;
  if (tenths < 100) return fmt::format("{}.{}{}", tenths / 10, tenths % 10, units[index]);
  return fmt::format("{}{}", whole + (rest != 0 ? 1 : 0), units[index]);
}

std::string ls_time(const timespec& time, const timespec& now) {
  constexpr time_t half_year = 31556952 / 2;
  tm local{};
  if (::localtime_r(&time.tv_sec, &local) == nullptr) return fmt::format("{:>12}", time.tv_sec);
  const timespec six_months_ago{.tv_sec = now.tv_sec - half_year, .tv_nsec = now.tv_nsec};
  const bool recent = before(six_months_ago, time) && before(time, now);
  return format_time(recent ? "%b %e %H:%M" : "%b %e  %Y", local);
}

std::string shell_quoted(std::string_view name) {
  if (name.contains('\'') && fits_double_quotes(name)) return fmt::format("\"{}\"", name);
  std::string out = "'";
  bool escaping = false;  // between $' and '
  while (!name.empty()) {
    const std::size_t length = character_length(name);
    if (length == 0) {
      out += escaping ? "" : "'$'";
      out += escaped_byte(name.front());
    } else if (name.front() == '\'') {
      out += "'\\''";
    } else {
      out += escaping ? "''" : "";
      out += name.substr(0, length);
    }
    escaping = length == 0;
    name.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + "'";
}

std::string full_time(const timespec& time) {
  tm local{};
  if (::localtime_r(&time.tv_sec, &local) == nullptr)
    return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
  return format_time("%Y-%m-%d %H:%M:%S", local) + fmt::format(".{:09}", time.tv_nsec) +
         format_time(" %z", local);
}

std::string iso_time(const timespec& time) {
  tm utc{};
  if (::gmtime_r(&time.tv_sec, &utc) == nullptr) return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
  return format_time("%Y-%m-%dT%H:%M:%S", utc) + fmt::format(".{:09}Z", time.tv_nsec);
}

}  // namespace vmfs
