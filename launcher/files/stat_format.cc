// SPDX-License-Identifier: MIT
#include "launcher/files/stat_format.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "launcher/files/directive.h"
#include "launcher/files/file_text.h"

namespace vmfs {
namespace {

constexpr std::string_view common_head =
    "  File: %n%>\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
    "Device: %Hd,%Ld\tInode: %-10i  Links: ";
constexpr std::string_view links = "%h\n";
constexpr std::string_view links_of_device = "%-5h Device type: %Hr,%Lr\n";
constexpr std::string_view common_tail =
    "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w";

bool is_device(const Attributes& attributes) {
  return S_ISCHR(attributes.mode) || S_ISBLK(attributes.mode);
}

bool is_known(const timespec& time) {
  return time.tv_sec != 0 || time.tv_nsec != 0;
}

/// A directive of stat(1).
struct StatDirective : Directive {
  char half = 0;  ///< 'H' or 'L', of device numbers
  char letter = 0;
};

StatDirective take_stat_directive(std::string_view& text) {
  StatDirective directive{take_directive(text)};
  if (text.size() > 1 && (text[0] == 'H' || text[0] == 'L') && (text[1] == 'd' || text[1] == 'r')) {
    directive.half = text.front();
    text.remove_prefix(1);
  }
  if (!text.empty()) {
    directive.letter = text.front();
    text.remove_prefix(1);
  }
  return directive;
}

/// Seconds with as many digits behind the point, cut off: a time is sec + nsec, before the epoch too.
std::string seconds_text(timespec time, std::size_t precision) {
  if (precision == 0) return fmt::format("{}", time.tv_sec);
  constexpr std::size_t known = 9;
  long divisor = 1;
  for (std::size_t i = precision; i < known; ++i) divisor *= 10;
  long fraction = time.tv_nsec / divisor;
  bool minus_zero = false;
  if (time.tv_sec < 0 && time.tv_nsec != 0) {
    fraction = 1'000'000'000 / divisor - fraction - (time.tv_nsec % divisor != 0 ? 1 : 0);
    time.tv_sec += fraction != 0 ? 1 : 0;
    minus_zero = time.tv_sec == 0;
  }
  std::string digits = fmt::format("{:0{}}", fraction, std::min(precision, known));
  digits.resize(precision, '0');
  return fmt::format("{}{}.{}", minus_zero ? "-" : "", time.tv_sec, digits);
}

class StatFormat {
 public:
  StatFormat(const StatSubject& subject, const Accounts& accounts)
      : subject_(subject), file_(subject.attributes), accounts_(accounts) {}

  [[nodiscard]] Result<std::string> format(std::string_view text) const {
    std::string out;
    while (!text.empty()) {
      const std::size_t percent = text.find('%');
      out += text.substr(0, percent);
      if (percent == std::string_view::npos) break;
      text.remove_prefix(percent + 1);
      const StatDirective directive = take_stat_directive(text);
      const auto value = TRY(evaluate(directive));
      out += pad(value, directive);
    }
    return out + '\n';
  }

 private:
  [[nodiscard]] Result<DirectiveValue> evaluate(const StatDirective& directive) const {
    if (auto value = text_value(directive.letter)) return DirectiveValue{.text = *std::move(value)};
    if (auto value = time_value(directive)) return *std::move(value);
    if (auto value = number_value(directive))
      return DirectiveValue{.text = *std::move(value), .number = true};
    return fail(EINVAL, "%{}: no such directive", directive.letter);
  }

  [[nodiscard]] std::optional<std::string> text_value(char letter) const {
    switch (letter) {
      case '%':
        return "%";
      case 'n':
        return subject_.path;
      case '>':
        return subject_.target.empty() ? "" : " -> " + subject_.target;
      case 'N':
        return shell_quoted(subject_.path) +
               (subject_.target.empty() ? "" : " -> " + shell_quoted(subject_.target));
      case 'A':
        return mode_text(file_.mode);
      case 'F':
        return std::string(type_text(file_.mode, file_.size));
      case 'U':
        return account(accounts_.users, file_.uid);
      case 'G':
        return account(accounts_.groups, file_.gid);
      case 'w':
        return is_known(file_.born) ? full_time(file_.born) : "-";
      case 'x':
        return full_time(file_.accessed);
      case 'y':
        return full_time(file_.modified);
      case 'z':
        return full_time(file_.changed);
      default:
        return std::nullopt;
    }
  }

  // Seconds since the epoch; a precision asks for as many digits of the fraction.
  [[nodiscard]] std::optional<DirectiveValue> time_value(const StatDirective& directive) const {
    const std::string_view letters = "WXYZ";
    const std::size_t index = letters.find(directive.letter);
    if (directive.letter == 0 || index == std::string_view::npos) return std::nullopt;
    const timespec* const times[] = {&file_.born, &file_.accessed, &file_.modified, &file_.changed};
    const timespec& time = *times[index];
    return DirectiveValue{.text = seconds_text(time, directive.precision.value_or(0)), .number = true};
  }

  [[nodiscard]] std::optional<std::string> number_value(const StatDirective& directive) const {
    const dev_t device = directive.letter == 'r' ? file_.device : 0;
    switch (directive.letter) {
      case 'a':
        return fmt::format("{}{:o}", directive.alternate && (file_.mode & 07777U) != 0 ? "0" : "",
                           file_.mode & 07777U);
      case 'b':
        return fmt::format("{}", file_.blocks);
      case 'B':
        return "512";
      case 'd':
      case 'r':
        if (directive.half == 'H') return fmt::format("{}", major(device));
        if (directive.half == 'L') return fmt::format("{}", minor(device));
        return fmt::format("{}", device);
      case 'D':
        return "0";
      case 'R':
        return fmt::format("{:x}", file_.device);
      case 'f':
        return fmt::format("{:x}", file_.mode);
      case 'g':
        return fmt::format("{}", file_.gid);
      case 'u':
        return fmt::format("{}", file_.uid);
      case 'h':
        return fmt::format("{}", file_.links);
      case 'i':
        return fmt::format("{}", static_cast<std::uint64_t>(file_.inode));
      case 'o':
        return fmt::format("{}", file_.block_size);
      case 's':
        return fmt::format("{}", file_.size);
      case 't':
        return fmt::format("{:x}", major(file_.device));
      case 'T':
        return fmt::format("{:x}", minor(file_.device));
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] static std::string account(const AccountTable& table, std::uint32_t id) {
    const auto name = table.name(id);
    return name.empty() ? "UNKNOWN" : std::string(name);
  }

  const StatSubject& subject_;
  const Attributes& file_;
  const Accounts& accounts_;
};

}  // namespace

std::string format_stat(const StatSubject& subject, const Accounts& accounts) {
  std::string format(common_head);
  format += is_device(subject.attributes) ? links_of_device : links;
  format += common_tail;
  return StatFormat(subject, accounts).format(format).value_or("");
}

Result<std::string> format_stat(std::string_view format, const StatSubject& subject,
                                const Accounts& accounts) {
  return StatFormat(subject, accounts).format(format);
}

}  // namespace vmfs
