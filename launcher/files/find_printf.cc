// SPDX-License-Identifier: MIT
#include "launcher/files/find_printf.h"

#include <array>
#include <cerrno>

#include <sys/stat.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/files/directive.h"
#include "launcher/files/file_text.h"

namespace vmfs {
namespace {

using Piece = std::function<std::string(const WalkEntry&)>;
using Field = std::function<DirectiveValue(const WalkEntry&)>;

/// Without all slashes at the end but one that is everything.
std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// As basename(1), but for a slash at the end, which stays.
std::string last_part(std::string_view path) {
  const std::string_view bare = without_slashes(path);
  const std::size_t slash = bare.rfind('/');
  std::string name(slash == std::string_view::npos || bare.size() == 1 ? bare : bare.substr(slash + 1));
  if (bare.size() != path.size()) name += '/';
  return name;
}

std::string leading_part(std::string_view path) {
  const std::string_view bare = without_slashes(path);
  const std::size_t slash = bare.rfind('/');
  return slash == std::string_view::npos ? "." : std::string(bare.substr(0, slash));
}

/// What a walk has added to where it began: as many names as it is deep.
std::string below_start(const WalkEntry& entry) {
  std::size_t at = entry.path.size();
  for (std::size_t i = 0; i < entry.depth; ++i) {
    at = entry.path.rfind('/', at - 1);
    if (at == std::string::npos || at == 0) break;
  }
  if (entry.depth == 0) return "";
  return entry.path.substr(at == std::string::npos ? 0 : at + 1);
}

/// The letters of strftime(3), and find's own: '@' and '+'. Seconds have a fraction.
std::string time_text(const timespec& time, char letter) {
  const std::string fraction = fmt::format(".{:09}0", time.tv_nsec);
  if (letter == '@') return fmt::format("{}{}", time.tv_sec, fraction);
  tm local{};
  if (::localtime_r(&time.tv_sec, &local) == nullptr) return fmt::format("{}{}", time.tv_sec, fraction);
  const auto strftime_text = [&](const std::string& format) {
    std::array<char, 128> text{};
    return std::string(text.data(), ::strftime(text.data(), text.size(), format.c_str(), &local));
  };
  switch (letter) {
    case '+':
      return strftime_text("%F+%T") + fraction;
    case 'c':
      return strftime_text("%a %b %e %T %Y");
    case 'S':
    case 'T':
    case 'X':
      return strftime_text(letter == 'S' ? "%S" : "%T") + fraction;
    default:
      return strftime_text(std::string{'%', letter});
  }
}

std::string ctime_text(const timespec& time) {
  return time_text(time, 'a') + ' ' + time_text(time, 'b') + ' ' + time_text(time, 'e') + ' ' +
         time_text(time, 'T') + ' ' + time_text(time, 'Y');
}

class FormatParser {
 public:
  FormatParser(std::string_view text, const FindContext& context) : text_(text), context_(context) {}

  Result<FindFormat> parse() {
    while (!text_.empty() && !stopped_) {
      const char letter = text_.front();
      text_.remove_prefix(1);
      if (letter == '%') {
        TRY(directive());
      } else if (letter == '\\') {
        TRY(escape());
      } else {
        literal_ += letter;
      }
    }
    flush();
    return [pieces = std::move(pieces_)](const WalkEntry& entry) {
      std::string out;
      for (const Piece& piece : pieces) out += piece(entry);
      return out;
    };
  }

 private:
  Result<char> take(std::string_view what) {
    if (text_.empty()) return fail(EINVAL, "-printf: the format ends in {}", what);
    const char letter = text_.front();
    text_.remove_prefix(1);
    return letter;
  }

  void flush() {
    if (!literal_.empty()) pieces_.emplace_back([text = literal_](const WalkEntry&) { return text; });
    literal_.clear();
  }

  Result<void> escape() {
    constexpr std::string_view letters = "abfnrtv\\";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\";
    const char letter = TRY(take("'\\'"));
    if (letter == 'c') {
      stopped_ = true;
    } else if (letter >= '0' && letter <= '7') {
      unsigned value = static_cast<unsigned>(letter - '0');
      for (int i = 0; i < 2 && !text_.empty() && text_.front() >= '0' && text_.front() <= '7'; ++i) {
        value = value * 8 + static_cast<unsigned>(text_.front() - '0');
        text_.remove_prefix(1);
      }
      literal_ += static_cast<char>(value);
    } else if (const std::size_t index = letters.find(letter); index != std::string_view::npos) {
      literal_ += meanings[index];
    } else {
      return fail(EINVAL, "-printf: no escape is '\\{}'", letter);
    }
    return {};
  }

  Result<void> directive() {
    const Directive directive = take_directive(text_);
    const char letter = TRY(take("'%'"));
    if (letter == '%') {
      literal_ += '%';
      return {};
    }
    Field field;
    if (std::string_view("ACTB").contains(letter)) {
      field = TRY(time_field(letter));
    } else {
      field = letter == 'm' ? mode_field(directive.alternate) : field_of(letter);
    }
    if (!field) return fail(EINVAL, "-printf: no directive is '%{}'", letter);
    flush();
    pieces_.emplace_back(
        [field = std::move(field), directive, only = context_.printable_only](const WalkEntry& entry) {
          DirectiveValue value = field(entry);
          if (only) value.text = printable(value.text);
          return pad(std::move(value), directive);
        });
    return {};
  }

  static Field mode_field(bool alternate) {
    return [alternate](const WalkEntry& entry) {
      const unsigned bits = entry.attributes.mode & 07777U;
      return DirectiveValue{fmt::format("{}{:o}", alternate && bits != 0 ? "0" : "", bits), true};
    };
  }

  static timespec Attributes::* time_member(char letter) {
    switch (letter) {
      case 'A':
      case 'a':
        return &Attributes::accessed;
      case 'C':
      case 'c':
        return &Attributes::changed;
      case 'B':
        return &Attributes::born;
      default:
        return &Attributes::modified;
    }
  }

  Result<Field> time_field(char which) {
    const char letter = TRY(take(fmt::format("'%{}'", which)));
    if (!std::string_view("@+aAbBcdDeFgGhHIjklmMpPrRsSTuUVwWxXyYzZ").contains(letter))
      return fail(EINVAL, "-printf: no directive is '%{}{}'", which, letter);
    return [member = time_member(which), letter](const WalkEntry& entry) {
      return DirectiveValue{time_text(entry.attributes.*member, letter)};
    };
  }

  static Field number(std::uint64_t (*value)(const WalkEntry&)) {
    return [value](const WalkEntry& entry) { return DirectiveValue{fmt::format("{}", value(entry))}; };
  }

  [[nodiscard]] Field owner(const AccountTable& table, uid_t Attributes::* id) const {
    return [&table, id](const WalkEntry& entry) {
      const auto name = table.name(entry.attributes.*id);
      return DirectiveValue{name.empty() ? fmt::format("{}", entry.attributes.*id) : std::string(name)};
    };
  }

  [[nodiscard]] Field target() const {
    return [&filesystem = context_.filesystem](const WalkEntry& entry) {
      if (!S_ISLNK(entry.attributes.mode)) return DirectiveValue{};
      return DirectiveValue{filesystem.readlink(entry.inode).value_or("")};
    };
  }

  /// The type behind a link; N for nothing, L for a link that leads back, ? for what cannot be read.
  [[nodiscard]] Field type_behind() const {
    return [&filesystem = context_.filesystem](const WalkEntry& entry) {
      const auto inode = resolve(filesystem, entry.path);
      const auto found = inode ? filesystem.stat(*inode) : std::unexpected(inode.error());
      if (found) return DirectiveValue{std::string(1, type_letter(found->mode))};
      const int code = found.error().code;
      return DirectiveValue{code == ENOENT || code == ENOTDIR ? "N" : code == ELOOP ? "L" : "?"};
    };
  }

  [[nodiscard]] Field field_of(char letter) const {
    switch (letter) {
      case 'p':
        return [](const WalkEntry& entry) { return DirectiveValue{entry.path}; };
      case 'P':
        return [](const WalkEntry& entry) { return DirectiveValue{below_start(entry)}; };
      case 'f':
        return [](const WalkEntry& entry) { return DirectiveValue{last_part(entry.path)}; };
      case 'h':
        return [](const WalkEntry& entry) { return DirectiveValue{leading_part(entry.path)}; };
      case 'M':
        return [](const WalkEntry& entry) { return DirectiveValue{mode_text(entry.attributes.mode)}; };
      case 'y':
        return [](const WalkEntry& entry) {
          return DirectiveValue{std::string(1, type_letter(entry.attributes.mode))};
        };
      case 'a':
      case 'c':
      case 't':
        return [member = time_member(letter)](const WalkEntry& entry) {
          return DirectiveValue{ctime_text(entry.attributes.*member)};
        };
      case 'l':
        return target();
      case 'Y':
        return type_behind();
      case 'u':
        return owner(context_.accounts.users, &Attributes::uid);
      case 'g':
        return owner(context_.accounts.groups, &Attributes::gid);
      default:
        return number_of(letter);
    }
  }

  static Field number_of(char letter) {
    switch (letter) {
      case 's':
        return number([](const WalkEntry& entry) { return entry.attributes.size; });
      case 'b':
        return number([](const WalkEntry& entry) { return entry.attributes.blocks; });
      case 'k':
        return number([](const WalkEntry& entry) { return (entry.attributes.blocks + 1) / 2; });
      case 'n':
        return number([](const WalkEntry& entry) -> std::uint64_t { return entry.attributes.links; });
      case 'i':
        return number([](const WalkEntry& entry) { return static_cast<std::uint64_t>(entry.inode); });
      case 'd':
        return number([](const WalkEntry& entry) -> std::uint64_t { return entry.depth; });
      case 'U':
        return number([](const WalkEntry& entry) -> std::uint64_t { return entry.attributes.uid; });
      case 'G':
        return number([](const WalkEntry& entry) -> std::uint64_t { return entry.attributes.gid; });
      default:
        return {};
    }
  }

  std::string_view text_;
  const FindContext& context_;
  std::vector<Piece> pieces_;
  std::string literal_;
  bool stopped_ = false;
};

}  // namespace

Result<FindFormat> parse_find_format(std::string_view format, const FindContext& context) {
  return FormatParser(format, context).parse();
}

}  // namespace vmfs
