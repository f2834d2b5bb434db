// SPDX-License-Identifier: MIT
#include "formats/lvm/group_text.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "formats/lvm/format.h"
#include "formats/text.h"

namespace vmfs::lvm {
namespace {

constexpr std::size_t max_name = 127;  // NAME_LEN of the tools, less the final zero
constexpr std::uint64_t max_extent_size = (std::uint64_t{1} << 32) * sector_size;
constexpr std::uint64_t max_size = std::numeric_limits<std::int64_t>::max();

/// lvm(8), "VALID NAMES".
bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("+_.-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= max_name && name.front() != '-' && name != "." && name != ".." &&
         std::ranges::all_of(name, allowed);
}

bool is_uuid(std::string_view uuid) {
  return uuid.size() == 38 && std::ranges::all_of(uuid, [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '!' || c == '#';
         });
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

/// A number that must be there.
Result<std::uint64_t> need(const ConfigNode& node, std::string_view key, std::uint64_t most) {
  const auto value = node.number(key);
  if (!value) return fail(EUCLEAN, "LVM: {}: no {}", printable(node.key), key);
  if (*value > most) return fail(EUCLEAN, "LVM: {}: {} is {}", printable(node.key), key, *value);
  return *value;
}

Result<std::string> need_uuid(const ConfigNode& node) {
  std::string uuid = node.text("id");
  if (!is_uuid(uuid))
    return fail(EUCLEAN, "LVM: {}: id '{}' is no UUID", printable(node.key), printable(uuid));
  return uuid;
}

Result<PvText> parse_pv(const ConfigNode& node) {
  constexpr std::uint64_t max_sectors = max_size / sector_size;
  PvText pv;
  pv.name = node.key;
  pv.uuid = TRY(need_uuid(node));
  pv.missing = has(node.texts("status"), "MISSING") || has(node.texts("flags"), "MISSING");
  if (const auto size = node.number("dev_size")) pv.size = std::min(*size, max_sectors) * sector_size;
  pv.pe_start = TRY(need(node, "pe_start", max_sectors)) * sector_size;
  pv.pe_count = TRY(need(node, "pe_count", std::numeric_limits<std::uint32_t>::max()));
  return pv;
}

Result<SegmentText> parse_segment(const ConfigNode& node, std::uint64_t extent_size) {
  // Both are 32 bits in the tools; the product with the size of an extent must not overflow.
  const std::uint64_t most =
      std::min<std::uint64_t>(std::numeric_limits<std::uint32_t>::max(), max_size / extent_size / 2);
  SegmentText segment;
  segment.start = TRY(need(node, "start_extent", most)) * extent_size;
  segment.size = TRY(need(node, "extent_count", most)) * extent_size;
  if (segment.size == 0) return fail(EUCLEAN, "LVM: {}: no extents", printable(node.key));
  const std::string type = node.text("type");
  const std::size_t plus = std::min(type.find('+'), type.size());
  segment.type = type.substr(0, plus);
  segment.flags = type.substr(plus);
  if (segment.type.empty()) return fail(EUCLEAN, "LVM: {}: no type", printable(node.key));
  segment.node = node;
  return segment;
}

Result<void> parse_segments(const ConfigNode& node, std::uint64_t extent_size, LvText& lv) {
  for (const ConfigNode& child : node.children) {
    if (!child.section || !child.key.starts_with("segment")) continue;
    auto segment = parse_segment(child, extent_size);
    if (!segment) return fail(segment.error().code, "{} of volume {}", segment.error().what, lv.name);
    lv.segments.push_back(*std::move(segment));
  }
  std::ranges::sort(lv.segments, {}, &SegmentText::start);
  for (const SegmentText& segment : lv.segments) {
    if (segment.start != lv.size) {
      return fail(EUCLEAN, "LVM: volume {}: a segment starts at {}, where {} is next", lv.name, segment.start,
                  lv.size);
    }
    if (segment.size > max_size - lv.size) return fail(EUCLEAN, "LVM: volume {}: too large", lv.name);
    lv.size += segment.size;
  }
  if (node.number("segment_count") != lv.segments.size()) {
    return fail(EUCLEAN, "LVM: volume {}: {} segments, where segment_count says something else", lv.name,
                lv.segments.size());
  }
  return {};
}

Result<LvText> parse_lv(const ConfigNode& node, std::uint64_t extent_size) {
  if (!is_name(node.key)) return fail(EUCLEAN, "LVM: '{}' is no name of a volume", printable(node.key));
  LvText lv;
  lv.name = node.key;
  lv.uuid = TRY(need_uuid(node));
  lv.visible = has(node.texts("status"), "VISIBLE");
  TRY(parse_segments(node, extent_size, lv));
  return lv;
}

/// Names are what the segments refer by, so there may be no two.
template <class Volumes>
Result<void> check_distinct(const Volumes& volumes, const std::string& group) {
  std::vector<std::string_view> names;
  names.reserve(volumes.size());
  for (const auto& volume : volumes) names.push_back(volume.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end())
    return fail(EUCLEAN, "LVM: group {}: two volumes are called {}", group, printable(*twice));
  return {};
}

}  // namespace

Result<GroupText> parse_group(std::string_view text) {
  const ConfigNode root = TRY(parse_config(text));
  const auto found = std::ranges::find_if(
      root.children, [](const ConfigNode& node) { return node.section && node.find_key("seqno"); });
  if (found == root.children.end()) return fail(EUCLEAN, "LVM metadata text: no volume group in it");
  const ConfigNode& node = *found;
  GroupText group;
  group.name = node.key;
  if (!is_name(group.name)) return fail(EUCLEAN, "LVM: '{}' is no name of a group", printable(group.name));
  if (const std::string format = node.text("format"); !format.empty() && format != "lvm2") {
    return fail(EOPNOTSUPP, "LVM: group {} has format {}", group.name, printable(format));
  }
  group.uuid = TRY(need_uuid(node));
  group.seqno = TRY(need(node, "seqno", std::numeric_limits<std::uint32_t>::max()));
  group.extent_size = TRY(need(node, "extent_size", max_extent_size / sector_size)) * sector_size;
  if (group.extent_size == 0) return fail(EUCLEAN, "LVM: group {}: extent_size is 0", group.name);
  if (const ConfigNode* const list = node.find_section("physical_volumes")) {
    for (const ConfigNode& pv : list->children) group.physical_volumes.push_back(TRY(parse_pv(pv)));
  }
  if (const ConfigNode* const list = node.find_section("logical_volumes")) {
    for (const ConfigNode& lv : list->children)
      group.logical_volumes.push_back(TRY(parse_lv(lv, group.extent_size)));
  }
  TRY(check_distinct(group.physical_volumes, group.name));
  TRY(check_distinct(group.logical_volumes, group.name));
  return group;
}

Result<std::vector<AreaText>> parse_areas(const ConfigNode& segment, std::string_view key) {
  const ConfigNode* const list = segment.find_key(key);
  std::vector<AreaText> areas;
  if (list == nullptr || list->values.size() % 2 != 0) {
    return fail(EUCLEAN, "LVM: {}: {} is no list of pairs", printable(segment.key), key);
  }
  for (std::size_t i = 0; i < list->values.size(); i += 2) {
    const auto* const name = std::get_if<std::string>(&list->values[i]);
    const auto* const extent = std::get_if<std::int64_t>(&list->values[i + 1]);
    if (name == nullptr || extent == nullptr || *extent < 0 ||
        *extent > std::numeric_limits<std::uint32_t>::max()) {
      return fail(EUCLEAN, "LVM: {}: {} is no list of names and extents", printable(segment.key), key);
    }
    areas.push_back({.name = *name, .extent = static_cast<std::uint64_t>(*extent)});
  }
  return areas;
}

}  // namespace vmfs::lvm
