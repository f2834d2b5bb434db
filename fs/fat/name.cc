// SPDX-License-Identifier: MIT
#include "fs/fat/name.h"

#include <algorithm>

namespace vmfs::fat {
namespace {

/// The upper half of code page 437.
constexpr std::array<char16_t, 128> code_page_437 = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
    0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
    0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
    0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

std::uint8_t lower_437(std::uint8_t c) {
  struct Pair {
    std::uint8_t upper, lower;
  };
  static constexpr Pair pairs[] = {{0x80, 0x87}, {0x8e, 0x84}, {0x8f, 0x86}, {0x90, 0x82}, {0x92, 0x91},
                                   {0x99, 0x94}, {0x9a, 0x81}, {0xa5, 0xa4}, {0xe4, 0xe5}, {0xe8, 0xed}};
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint8_t>(c - 'A' + 'a');
  const auto* const found = std::ranges::find(pairs, c, &Pair::upper);
  return found == std::end(pairs) ? c : found->lower;
}

void append_utf8(std::string& out, char32_t c) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xe0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3f));
  } else {
    add(0xf0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3f));
    add(0x80 | (c >> 6 & 0x3f));
  }
  add(0x80 | (c & 0x3f));
}

void append_437(std::string& out, std::uint8_t c) {
  append_utf8(out, c < 0x80 ? c : code_page_437[c - 0x80U]);
}

/// A part of a name, up to a zero or the blanks at its end.
std::string part_text(std::span<const std::uint8_t> part, bool lower) {
  std::string out;
  std::size_t end = 0;  // behind the last character that is no blank
  for (const std::uint8_t c : part) {
    if (c == 0) break;
    append_437(out, lower ? lower_437(c) : c);
    if (c != ' ') end = out.size();
  }
  out.resize(end);
  return out;
}

std::array<std::uint8_t, 11> stored_name(const DirEntry& entry) {
  auto name = entry.name;
  if (name[0] == name_kanji) name[0] = name_free;
  return name;
}

}  // namespace

std::string short_name(const DirEntry& entry) {
  const auto name = stored_name(entry);
  const std::span<const std::uint8_t> characters(name);
  const std::string base = part_text(characters.first(8), (entry.nt_res & lower_base) != 0);
  const std::string extension = part_text(characters.subspan(8), (entry.nt_res & lower_extension) != 0);
  return extension.empty() ? base : base + '.' + extension;
}

std::string label_text(const DirEntry& entry) {
  return part_text(stored_name(entry), false);
}

std::string long_name(std::span<const char16_t> units) {
  std::string out;
  for (std::size_t i = 0; i < units.size() && units[i] != 0; ++i) {
    char32_t c = units[i];
    if ((c & 0xf800) == 0xd800) {
      const char16_t low = i + 1 < units.size() ? units[i + 1] : u'\0';
      if (c >= 0xdc00 || (low & 0xfc00) != 0xdc00) continue;
      c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ffU);
      ++i;
    }
    append_utf8(out, c);
  }
  return out;
}

std::uint8_t name_checksum(const DirEntry& entry) {
  unsigned sum = 0;
  for (const std::uint8_t c : entry.name) sum = ((sum << 7U | sum >> 1U) + c) & 0xffU;
  return static_cast<std::uint8_t>(sum);
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace vmfs::fat
