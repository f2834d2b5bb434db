// SPDX-License-Identifier: MIT
#include "launcher/files/accounts.h"

#include <charconv>

#include "fs/path.h"

namespace vmfs {
namespace {

constexpr std::uint64_t max_table = std::uint64_t{16} << 20;

std::string_view take_field(std::string_view& line) {
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  line.remove_prefix(colon == std::string_view::npos ? line.size() : colon + 1);
  return field;
}

AccountTable read_table(const Filesystem& filesystem, std::string_view path) {
  const auto inode = resolve(filesystem, path);
  if (!inode) return {};
  const auto text = read_small_file(filesystem, *inode, max_table);
  return text ? AccountTable(*text) : AccountTable();
}

}  // namespace

AccountTable::AccountTable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view name = take_field(line);
    take_field(line);
    const std::string_view number = take_field(line);
    std::uint32_t id = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), id);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == number.data() + number.size();
    // "+" and "-" begin the lines of NIS, which name nobody themselves.
    if (!whole || name.empty() || name.front() == '+' || name.front() == '-' || name.front() == '#') continue;
    names_.emplace(id, name);
    ids_.emplace(name, id);
  }
}

std::string_view AccountTable::name(std::uint32_t id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint32_t> AccountTable::id(std::string_view name) const {
  const auto found = ids_.find(std::string(name));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

Accounts Accounts::read(const Filesystem& filesystem) {
  return {.users = read_table(filesystem, "/etc/passwd"), .groups = read_table(filesystem, "/etc/group")};
}

}  // namespace vmfs
