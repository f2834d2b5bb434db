// SPDX-License-Identifier: MIT
#include "launcher/files/pax_header.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "formats/text.h"

namespace vmfs {
namespace {

constexpr std::size_t block = 512;

/// The header block of POSIX.1-1988.
struct Ustar {
  std::array<char, 100> name;
  std::array<char, 8> mode;
  std::array<char, 8> uid;
  std::array<char, 8> gid;
  std::array<char, 12> size;
  std::array<char, 12> mtime;
  std::array<char, 8> chksum;
  std::array<char, 1> typeflag;
  std::array<char, 100> linkname;
  std::array<char, 6> magic;
  std::array<char, 2> version;
  std::array<char, 32> uname;
  std::array<char, 32> gname;
  std::array<char, 8> devmajor;
  std::array<char, 8> devminor;
  std::array<char, 155> prefix;
  std::array<char, 12> padding;
};
static_assert(sizeof(Ustar) == block);

template <std::size_t Size>
constexpr std::uint64_t octal_max = (std::uint64_t{1} << (3 * (Size - 1))) - 1;

// Octal digits and a NUL; what has no room is the largest number that has.
template <std::size_t Size>
void put_octal(std::array<char, Size>& field, std::uint64_t number) {
  fmt::format_to(field.begin(), "{:0{}o}", std::min(number, octal_max<Size>), Size - 1);
}

template <std::size_t Size>
void put_text(std::array<char, Size>& field, std::string_view text) {
  std::ranges::copy(text.substr(0, Size), field.begin());
}

void pad_to_block(std::string& text) {
  text.append((block - text.size() % block) % block, '\0');
}

/// Where a path is cut for the fields prefix and name; nothing where it does not fit.
std::optional<std::size_t> find_cut(std::string_view path) {
  constexpr std::size_t name_size = std::tuple_size_v<decltype(Ustar::name)>;
  constexpr std::size_t prefix_size = std::tuple_size_v<decltype(Ustar::prefix)>;
  if (path.size() <= name_size) return 0;
  const std::size_t slash = path.find('/', path.size() - name_size - 1);
  if (slash == 0 || slash > prefix_size || slash + 1 >= path.size()) return std::nullopt;
  return slash;
}

void put_path(Ustar& header, std::string_view path) {
  const auto cut = find_cut(path);
  if (!cut) {
    put_text(header.name, path.substr(0, header.name.size() - 1));
  } else if (*cut == 0) {
    put_text(header.name, path);
  } else {
    put_text(header.prefix, path.substr(0, *cut));
    put_text(header.name, path.substr(*cut + 1));
  }
}

std::string finish(Ustar header) {
  put_text(header.magic, std::string_view("ustar\0", 6));
  put_text(header.version, "00");
  header.chksum.fill(' ');
  std::string bytes(block, '\0');
  std::ranges::transform(std::as_bytes(std::span(&header, 1)), bytes.begin(),
                         [](std::byte byte) { return static_cast<char>(byte); });
  unsigned sum = 0;
  for (const char letter : bytes) sum += static_cast<unsigned char>(letter);
  const std::string digits = fmt::format("{:06o}", sum);
  std::ranges::copy(digits + std::string("\0 ", 2), bytes.begin() + offsetof(Ustar, chksum));
  return bytes;
}

// Its own length is part of the length that a record begins with.
std::string record(std::string_view keyword, std::string_view value) {
  const std::size_t rest = keyword.size() + value.size() + 3;
  std::size_t length = rest + fmt::formatted_size("{}", rest);
  length = rest + fmt::formatted_size("{}", length);
  std::string out = fmt::format("{} {}=", length, keyword);
  out += value;
  return out + '\n';
}

// Before the epoch the fraction counts backwards: a second before it and half of one more is -1.5.
std::string pax_time(timespec time) {
  constexpr long second = 1'000'000'000;
  if (time.tv_nsec == 0) return fmt::format("{}", time.tv_sec);
  const bool negative = time.tv_sec < 0;
  const long fraction = negative ? second - time.tv_nsec : time.tv_nsec;
  const auto whole = negative ? -(time.tv_sec + 1) : time.tv_sec;
  std::string text = fmt::format("{}{}.{:09}", negative ? "-" : "", whole, fraction);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

bool is_utf8(std::string_view text) {
  return printable(text).find("\\x") == std::string::npos;
}

char type_flag(const PaxMember& member) {
  if (member.hard_link) return '1';
  switch (member.attributes.mode & S_IFMT) {
    case S_IFLNK:
      return '2';
    case S_IFCHR:
      return '3';
    case S_IFBLK:
      return '4';
    case S_IFDIR:
      return '5';
    case S_IFIFO:
      return '6';
    default:
      return '0';
  }
}

std::string_view base_name(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

std::string member_path(const PaxMember& member) {
  if (!member.sparse) return member.path;
  return fmt::format("GNUSparseFile.0/{}", base_name(member.path));
}

/// The map of GNU.sparse 1.0: numbers in lines, filled up to a block.
std::string sparse_map(const PaxMember& member) {
  if (!member.sparse) return {};
  std::string map = fmt::format("{}\n", member.runs.size());
  for (const DataRun& run : member.runs) map += fmt::format("{}\n{}\n", run.offset, run.length);
  pad_to_block(map);
  return map;
}

std::uint64_t contents_size(const PaxMember& member) {
  if (type_flag(member) != '0') return 0;
  if (!member.sparse) return member.attributes.size;
  std::uint64_t sum = 0;
  for (const DataRun& run : member.runs) sum += run.length;
  return sum;
}

class Records {
 public:
  void add(std::string_view keyword, std::string_view value) { text_ += record(keyword, value); }

  // Names that are no UTF-8 are declared to be what they are: bytes.
  void add_name(std::string_view keyword, std::string_view name) {
    binary_ = binary_ || !is_utf8(name);
    add(keyword, name);
  }

  void add_number(std::string_view keyword, std::uint64_t number, std::uint64_t max) {
    if (number > max) add(keyword, fmt::format("{}", number));
  }

  [[nodiscard]] std::string take() const { return binary_ ? record("hdrcharset", "BINARY") + text_ : text_; }

 private:
  std::string text_;
  bool binary_ = false;
};

void add_times(Records& records, const Attributes& file) {
  const bool fits = file.modified.tv_nsec == 0 && file.modified.tv_sec >= 0 &&
                    static_cast<std::uint64_t>(file.modified.tv_sec) <= octal_max<sizeof(Ustar::mtime)>;
  if (!fits) records.add("mtime", pax_time(file.modified));
  records.add("atime", pax_time(file.accessed));
}

std::string extended_records(const PaxMember& member, std::uint64_t size) {
  const Attributes& file = member.attributes;
  Records records;
  if (member.sparse) {
    records.add("GNU.sparse.major", "1");
    records.add("GNU.sparse.minor", "0");
    records.add_name("GNU.sparse.name", member.path);
    records.add("GNU.sparse.realsize", fmt::format("{}", file.size));
  } else if (!find_cut(member.path)) {
    records.add_name("path", member.path);
  }
  if (member.link.size() > sizeof(Ustar::linkname)) records.add_name("linkpath", member.link);
  records.add_number("size", size, octal_max<sizeof(Ustar::size)>);
  records.add_number("uid", file.uid, octal_max<sizeof(Ustar::uid)>);
  records.add_number("gid", file.gid, octal_max<sizeof(Ustar::gid)>);
  if (!member.hard_link) add_times(records, file);
  if (S_ISBLK(file.mode) || S_ISCHR(file.mode)) {
    records.add_number("SCHILY.devmajor", major(file.device), octal_max<sizeof(Ustar::devmajor)>);
    records.add_number("SCHILY.devminor", minor(file.device), octal_max<sizeof(Ustar::devminor)>);
  }
  for (const auto& [keyword, value] : member.records) records.add(keyword, value);
  return records.take();
}

std::string extended_header(const PaxMember& member, std::string records) {
  Ustar header{};
  put_text(header.name,
           fmt::format("PaxHeaders/{}", base_name(member.path)).substr(0, sizeof(Ustar::name) - 1));
  put_octal(header.mode, 0644);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, records.size());
  put_octal(header.mtime, 0);
  header.typeflag = {'x'};
  pad_to_block(records);
  return finish(header) + records;
}

}  // namespace

std::uint64_t stored_size(const PaxMember& member) {
  return contents_size(member);
}

std::string xattr_keyword(std::string_view name) {
  std::string out = "SCHILY.xattr.";
  for (const char letter : name)
    out += letter == '%' ? "%25" : letter == '=' ? "%3D" : std::string(1, letter);
  return out;
}

std::string pax_header(const PaxMember& member) {
  const Attributes& file = member.attributes;
  const std::string map = sparse_map(member);
  const std::uint64_t size = map.size() + contents_size(member);
  const std::string records = extended_records(member, size);
  Ustar header{};
  put_path(header, member_path(member));
  put_octal(header.mode, file.mode & 07777U);
  put_octal(header.uid, file.uid);
  put_octal(header.gid, file.gid);
  put_octal(header.size, size);
  put_octal(header.mtime, file.modified.tv_sec < 0 ? 0 : static_cast<std::uint64_t>(file.modified.tv_sec));
  header.typeflag = {type_flag(member)};
  put_text(header.linkname, member.link);
  if (S_ISBLK(file.mode) || S_ISCHR(file.mode)) {
    put_octal(header.devmajor, major(file.device));
    put_octal(header.devminor, minor(file.device));
  }
  return (records.empty() ? "" : extended_header(member, records)) + finish(header) + map;
}

}  // namespace vmfs
