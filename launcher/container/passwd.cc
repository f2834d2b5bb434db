// SPDX-License-Identifier: MIT
#include "launcher/container/passwd.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <optional>

namespace vmfs {
namespace {

using Fields = std::vector<std::string_view>;

constexpr std::size_t passwd_fields = 7;
constexpr std::size_t group_fields = 4;
constexpr std::size_t most_groups = 65536;  // NGROUPS_MAX

Fields split(std::string_view line, char separator) {
  Fields fields;
  while (true) {
    const auto end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> id(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value == UINT32_MAX) {
    return std::nullopt;
  }
  return value;
}

// The first line for which `wanted` holds; the visitor sees well-formed lines only.
std::optional<Fields> find_line(std::string_view text, std::size_t fields,
                                const std::function<bool(const Fields&)>& wanted) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    Fields line = split(text.substr(0, end), ':');
    if (line.size() >= fields && id(line[2]) && wanted(line)) return line;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::optional<Fields> find_name_or_id(std::string_view text, std::size_t fields, std::string_view wanted) {
  auto line = find_line(text, fields, [&](const Fields& each) { return each[0] == wanted; });
  if (!line && id(wanted)) {
    line = find_line(text, fields, [&](const Fields& each) { return id(each[2]) == id(wanted); });
  }
  return line;
}

Result<gid_t> find_group(std::string_view wanted, std::string_view group) {
  if (const auto line = find_name_or_id(group, group_fields, wanted)) return *id((*line)[2]);
  if (const auto number = id(wanted)) return *number;
  return fail(ENOENT, "no group '{}' in the image's /etc/group", wanted);
}

std::vector<gid_t> groups_of(std::string_view name, std::string_view group) {
  std::vector<gid_t> groups;
  find_line(group, group_fields, [&](const Fields& line) {
    const Fields members = split(line[3], ',');
    if (std::ranges::find(members, name) != members.end()) groups.push_back(*id(line[2]));
    return groups.size() == most_groups;
  });
  return groups;
}

}  // namespace

Result<User> find_user(std::string_view wanted, std::string_view passwd, std::string_view group) {
  const auto colon = wanted.find(':');
  const std::string_view name = wanted.substr(0, colon);
  User user;
  if (const auto line = find_name_or_id(passwd, passwd_fields, name)) {
    const Fields& fields = *line;
    user.uid = *id(fields[2]);
    user.gid = id(fields[3]).value_or(0);
    user.name = fields[0];
    if (fields[5].starts_with('/')) user.home = fields[5];
    if (fields[6].starts_with('/')) user.shell = fields[6];
    if (colon == std::string_view::npos) user.groups = groups_of(fields[0], group);
  } else if (const auto number = id(name)) {
    user.uid = *number;
  } else {
    return fail(name.empty() ? EINVAL : ENOENT, "no user '{}' in the image's /etc/passwd", name);
  }
  if (colon != std::string_view::npos) user.gid = TRY(find_group(wanted.substr(colon + 1), group));
  return user;
}

}  // namespace vmfs
