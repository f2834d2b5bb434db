// SPDX-License-Identifier: MIT
#include "launcher/container/id_map.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/ranges.h>

namespace vmfs {
namespace {

constexpr std::uint32_t last_id = std::numeric_limits<std::uint32_t>::max();  // (uid_t)-1 is no id
constexpr std::size_t most_ranges = 340;                                      // the kernel's limit of lines
constexpr std::uint32_t usual_count = 65536;

// Above what useradd(8) and systemd hand out, below the ids that break signed arithmetic.
constexpr std::uint32_t unused_ids = 0x78000000;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_sound(std::uint32_t first, std::uint32_t count) {
  return count > 0 && count <= last_id - first;
}

// Root inside is `own`; the ranges follow, one after the other.
IdMap append_ranges(IdMap map, const std::vector<IdRange>& ranges) {
  std::uint32_t inside = map.empty() ? 0 : map.back().inside + map.back().count;
  for (const IdRange& range : ranges) {
    if (map.size() == most_ranges || !is_sound(inside, range.count)) break;
    map.push_back({.inside = inside, .outside = range.outside, .count = range.count});
    inside += range.count;
  }
  return map;
}

std::uint32_t count_of(const IdMap& map, std::uint32_t first) {
  for (const IdRange& range : map) {
    if (range.inside <= first && first - range.inside < range.count)
      return range.count - (first - range.inside);
  }
  return 0;
}

// The ids root may give away in the namespace it lives in, whose own map is `own`.
IdMap map_of_root(const std::vector<IdRange>& ranges, const IdMap& own) {
  if (!ranges.empty()) return append_ranges({}, ranges);
  if (count_of(own, unused_ids) >= usual_count)
    return {{.inside = 0, .outside = unused_ids, .count = usual_count}};
  IdMap same;
  for (const IdRange& range : own) {
    same.push_back({.inside = range.inside, .outside = range.inside, .count = range.count});
  }
  return same;
}

std::string why_alone(const IdFacts& facts, bool ranges) {
  if (ranges) return "newuidmap and newgidmap are not installed (Debian: the package uidmap)";
  const std::string name = facts.user_name.empty() ? std::to_string(facts.uid) : facts.user_name;
  return fmt::format(
      "/etc/subuid and /etc/subgid have no ranges for {} (`usermod --add-subuids 100000-165535 "
      "--add-subgids 100000-165535 {}` as root gives some)",
      name, name);
}

}  // namespace

std::vector<IdRange> subordinate_ranges(std::string_view text, std::string_view name, std::uint32_t id) {
  std::vector<IdRange> ranges;
  for (const std::string_view line : split(text, "\n")) {
    const auto fields = split(line, ":");
    if (fields.size() != 3 || (fields[0] != name && number(fields[0]) != id)) continue;
    const auto first = number(fields[1]);
    const auto count = number(fields[2]);
    if (first && count && is_sound(*first, *count)) {
      ranges.push_back({.inside = 0, .outside = *first, .count = *count});
    }
  }
  return ranges;
}

IdMap parse_id_map(std::string_view text) {
  IdMap map;
  for (const std::string_view line : split(text, "\n")) {
    const auto fields = split(line, " \t");
    if (fields.size() != 3) continue;
    const auto inside = number(fields[0]);
    const auto outside = number(fields[1]);
    const auto count = number(fields[2]);
    if (inside && outside && count && is_sound(*inside, *count)) map.push_back({*inside, *outside, *count});
  }
  return map;
}

std::string to_text(const IdMap& map) {
  std::string text;
  for (const IdRange& range : map)
    text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  return text;
}

bool is_alone(const IdMaps& maps) {
  const auto one = [](const IdMap& map) { return map.size() == 1 && map.front().count == 1; };
  return one(maps.users) && one(maps.groups);
}

std::optional<std::uint32_t> outside_of(const IdMap& map, std::uint32_t id) {
  for (const IdRange& range : map) {
    if (id >= range.inside && id - range.inside < range.count) return range.outside + (id - range.inside);
  }
  return std::nullopt;
}

IdMaps choose_id_maps(const IdFacts& facts, const Warn& warn) {
  const auto users = subordinate_ranges(facts.subuid, facts.user_name, facts.uid);
  const auto groups = subordinate_ranges(facts.subgid, facts.user_name, facts.uid);
  const bool ranges = !users.empty() && !groups.empty();
  if (facts.uid == 0) {
    return {.users = map_of_root(ranges ? users : IdMap{}, parse_id_map(facts.uid_map)),
            .groups = map_of_root(ranges ? groups : IdMap{}, parse_id_map(facts.gid_map)),
            .writer = IdMaps::Writer::root,
            .set_groups = !facts.setgroups.starts_with("deny")};
  }
  const IdMap own_user = {{.inside = 0, .outside = facts.uid, .count = 1}};
  const IdMap own_group = {{.inside = 0, .outside = facts.gid, .count = 1}};
  if (ranges && facts.helpers) {
    return {.users = append_ranges(own_user, users),
            .groups = append_ranges(own_group, groups),
            .writer = IdMaps::Writer::helper,
            .set_groups = true};
  }
  warn(fmt::format("only root exists in the container: {}", why_alone(facts, ranges)));
  return {.users = own_user, .groups = own_group, .writer = IdMaps::Writer::self, .set_groups = false};
}

}  // namespace vmfs
