// SPDX-License-Identifier: MIT
#include "formats/lvm/assemble.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "formats/lvm/format.h"
#include "formats/lvm/mapping.h"
#include "formats/text.h"

namespace vmfs::lvm {
namespace {

/// How many volumes may lie in each other: a thin volume in a pool on a mirror of stripes has five.
constexpr std::size_t max_nesting = 16;

}  // namespace

/// A new type of segment is one function and one line here. Others are refused by name.
const Assembler::Kind Assembler::kinds[] = {
    {"striped", &Assembler::read_striped}, {"linear", &Assembler::read_striped},
    {"zero", &Assembler::read_zero},       {"mirror", &Assembler::read_mirror},
    {"raid0", &Assembler::read_raid0},     {"raid0_meta", &Assembler::read_raid0},
    {"raid1", &Assembler::read_raid1},     {"thin", &Assembler::read_thin},
};

Assembler::Assembler(const GroupText& group, std::vector<std::shared_ptr<const Source>> devices,
                     SnapshotBudget& budget, Warn warn)
    : group_(group), devices_(std::move(devices)), budget_(budget), warn_(std::move(warn)) {
  for (std::size_t i = 0; i < group.physical_volumes.size(); ++i)
    pv_by_name_[group.physical_volumes[i].name] = i;
  for (const LvText& volume : group.logical_volumes) {
    lv_by_name_[volume.name] = &volume;
    if (!is_record_of_snapshot(volume)) continue;
    const SegmentText& snapshot = volume.segments.front();
    if (const auto store = snapshot.node.text("cow_store"); !store.empty())
      snapshot_by_store_[store] = &snapshot;
    if (!snapshot.node.text("merging_store").empty())
      merging_by_origin_[snapshot.node.text("origin")] = &snapshot;
  }
}

bool Assembler::is_snapshot(std::string_view name) const {
  return snapshot_by_store_.contains(name);
}

bool Assembler::is_record_of_snapshot(const LvText& volume) {
  return volume.segments.size() == 1 && volume.segments.front().type == "snapshot";
}

bool Assembler::is_visible(const LvText& volume) const {
  const auto snapshot = snapshot_by_store_.find(volume.name);
  if (snapshot == snapshot_by_store_.end()) return volume.visible;
  const auto origin = lv_by_name_.find(snapshot->second->node.text("origin"));
  return origin != lv_by_name_.end() && origin->second->visible;
}

Result<std::shared_ptr<const Source>> Assembler::open(const LvText& volume) {
  if (const auto found = snapshot_by_store_.find(volume.name); found != snapshot_by_store_.end()) {
    auto origin = TRY(open_plain(found->second->node.text("origin")));
    return open_snapshot(std::move(origin), TRY(open_plain(volume.name)), budget_);
  }
  if (const auto found = merging_by_origin_.find(volume.name); found != merging_by_origin_.end()) {
    auto store = TRY(open_plain(found->second->node.text("merging_store")));
    return open_snapshot(TRY(open_plain(volume.name)), std::move(store), budget_);
  }
  return open_plain(volume.name);
}

/// The volume without what snapshots make of it.
Result<std::shared_ptr<const Source>> Assembler::open_plain(std::string_view name) {
  if (const auto before = opened_.find(name); before != opened_.end()) return before->second;
  const auto found = lv_by_name_.find(name);
  if (found == lv_by_name_.end()) {
    return fail(EUCLEAN, "LVM: group {} has no volume {}", group_.name, printable(name));
  }
  if (opening_.size() >= max_nesting || opening_.contains(name)) {
    return fail(EUCLEAN, "LVM: {}/{}: too many volumes in each other", group_.name, name);
  }
  opening_.emplace(name);
  const std::string outer = std::exchange(current_, std::string(name));
  auto source = join_segments(*found->second);
  current_ = outer;
  opening_.erase(opening_.find(name));
  opened_.emplace(name, source);
  return source;
}

Result<std::shared_ptr<const Source>> Assembler::join_segments(const LvText& volume) {
  std::vector<std::shared_ptr<const Source>> parts;
  for (const SegmentText& segment : volume.segments) {
    auto part = TRY(read_segment(segment));
    if (part->size() < segment.size) {
      return fail(EUCLEAN, "LVM: {}/{}: {} has {} bytes, should have {}", group_.name, volume.name,
                  printable(segment.node.key), part->size(), segment.size);
    }
    parts.push_back(TRY(SubSource::create(std::move(part), 0, segment.size)));
  }
  if (parts.empty()) return fail(EUCLEAN, "LVM: {}/{}: no segments", group_.name, volume.name);
  return ConcatSource::create(std::move(parts));
}

Result<std::shared_ptr<const Source>> Assembler::read_segment(const SegmentText& segment) {
  const auto* const kind = std::ranges::find(kinds, segment.type, &Kind::type);
  if (kind == std::end(kinds) || !segment.flags.empty()) {
    return fail(EOPNOTSUPP, "LVM: volumes of type {}{} cannot be read", printable(segment.type),
                printable(segment.flags));
  }
  return (this->*kind->read)(segment);
}

Result<std::shared_ptr<const Source>> Assembler::read_striped(const SegmentText& segment) {
  const auto areas = TRY(parse_areas(segment.node, "stripes"));
  if (areas.empty() || segment.node.number("stripe_count") != areas.size() ||
      segment.size % areas.size() != 0) {
    return fail(EUCLEAN, "LVM: {}: {} stripes over {} bytes", printable(segment.node.key), areas.size(),
                segment.size);
  }
  std::vector<std::shared_ptr<const Source>> legs;
  legs.reserve(areas.size());
  for (const AreaText& area : areas) legs.push_back(TRY(open_area(area, segment.size / areas.size())));
  if (legs.size() == 1) return std::move(legs.front());
  const std::uint64_t stripe_size = segment.node.number("stripe_size").value_or(0);
  if (stripe_size > segment.size / sector_size) {
    return fail(EUCLEAN, "LVM: {}: stripe_size is {}", printable(segment.node.key), stripe_size);
  }
  return StripeSource::create(std::move(legs), stripe_size * sector_size);
}

Result<std::shared_ptr<const Source>> Assembler::read_zero(const SegmentText& segment) {
  return std::make_shared<ZeroSource>(segment.size);
}

Result<std::shared_ptr<const Source>> Assembler::read_mirror(const SegmentText& segment) {
  const auto areas = TRY(parse_areas(segment.node, "mirrors"));
  std::optional<Error> first_error;
  for (const AreaText& area : areas) {
    // The first is in sync if any is.
    auto leg = open_area(area, segment.size);
    if (leg && first_error) warn("another leg is used: " + first_error->what);
    if (leg) return leg;
    if (!first_error) first_error = std::move(leg).error();
  }
  if (!first_error) return fail(EUCLEAN, "LVM: {}: a mirror without legs", printable(segment.node.key));
  return std::unexpected(*std::move(first_error));
}

/// The sub volumes of a RAID. `key` lists the images, or pairs of a metadata volume and an image.
Result<std::vector<RaidLeg>> Assembler::raid_legs(const SegmentText& segment, std::string_view key,
                                                  std::string_view count_key) {
  const auto names = segment.node.texts(key);
  const std::uint64_t count = segment.node.number(count_key).value_or(0);
  const bool pairs = names.size() == count * 2;
  if (count == 0 || count > max_raid_legs || (names.size() != count && !pairs)) {
    return fail(EUCLEAN, "LVM: {}: {} sub volumes, where {} is {}", printable(segment.node.key), names.size(),
                count_key, count);
  }
  if (segment.node.number("data_offset").value_or(0) != 0 ||
      segment.node.number("reshape_count").value_or(0) != 0) {
    return fail(EOPNOTSUPP, "LVM: a {} volume that is being reshaped cannot be read",
                printable(segment.type));
  }
  std::vector<RaidLeg> legs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool metadata = pairs && i % 2 == 0;
    auto opened = open_plain(names[i]);
    if (!pairs || metadata) legs.emplace_back();
    if (metadata) {
      legs.back().metadata = opened ? *std::move(opened) : nullptr;
    } else {
      legs.back().image = std::move(opened);
    }
  }
  return legs;
}

Result<std::shared_ptr<const Source>> Assembler::read_raid0(const SegmentText& segment) {
  auto legs = TRY(raid_legs(segment, segment.node.find_key("raid0_lvs") != nullptr ? "raid0_lvs" : "raids",
                            "stripe_count"));
  std::vector<std::shared_ptr<const Source>> stripes;
  for (RaidLeg& leg : legs) {
    auto image = TRY(std::move(leg.image));
    if (image->size() < segment.size / legs.size()) {
      return fail(EUCLEAN, "LVM: {}: an image of {} bytes", printable(segment.node.key), image->size());
    }
    stripes.push_back(TRY(SubSource::create(std::move(image), 0, segment.size / legs.size())));
  }
  if (stripes.size() == 1) return std::move(stripes.front());
  const std::uint64_t stripe_size = segment.node.number("stripe_size").value_or(0);
  if (stripe_size > segment.size / sector_size) {
    return fail(EUCLEAN, "LVM: {}: stripe_size is {}", printable(segment.node.key), stripe_size);
  }
  return StripeSource::create(std::move(stripes), stripe_size * sector_size);
}

Result<std::shared_ptr<const Source>> Assembler::read_raid1(const SegmentText& segment) {
  return choose_raid1_leg(TRY(raid_legs(segment, "raids", "device_count")),
                          [this](const std::string& text) { warn(text); });
}

Result<std::shared_ptr<const ThinPool>> Assembler::open_new_pool(const std::string& name) {
  const auto found = lv_by_name_.find(name);
  if (found == lv_by_name_.end() || found->second->segments.size() != 1) {
    return fail(EUCLEAN, "LVM: group {} has no thin pool {}", group_.name, printable(name));
  }
  const SegmentText& pool = found->second->segments.front();
  if (pool.type != "thin-pool" || (!pool.flags.empty() && pool.flags != "+CROP_METADATA")) {
    return fail(EOPNOTSUPP, "LVM: {}/{}: a pool of type {}{} cannot be read", group_.name, name,
                printable(pool.type), printable(pool.flags));
  }
  const std::uint64_t chunk_size = pool.node.number("chunk_size").value_or(0);
  if (chunk_size > pool.size / sector_size)
    return fail(EUCLEAN, "LVM: {}: chunk_size is {}", name, chunk_size);
  auto metadata = TRY(open_plain(pool.node.text("metadata")));
  return ThinPool::open(
      std::move(metadata), TRY(open_plain(pool.node.text("pool"))), chunk_size * sector_size,
      [&](const std::string& text) { warn_(fmt::format("{}/{}: {}", group_.name, name, text)); });
}

Result<std::shared_ptr<const ThinPool>> Assembler::open_pool(const std::string& name) {
  if (const auto before = pools_.find(name); before != pools_.end()) return before->second;
  auto pool = open_new_pool(name);
  pools_.emplace(name, pool);
  return pool;
}

Result<std::shared_ptr<const Source>> Assembler::read_thin(const SegmentText& segment) {
  const auto id = segment.node.number("device_id");
  if (!id) return fail(EUCLEAN, "LVM: {}: no device_id", printable(segment.node.key));
  const auto pool = TRY(open_pool(segment.node.text("thin_pool")));
  const std::string external = segment.node.text("external_origin");
  std::shared_ptr<const Source> origin;
  if (!external.empty()) origin = TRY(open_plain(external));
  return pool->device(*id, segment.size, std::move(origin));
}

void Assembler::warn(const std::string& text) const {
  warn_(fmt::format("{}/{}: {}", group_.name, current_, text));
}

/// `size` bytes from an extent of a physical or logical volume on.
Result<std::shared_ptr<const Source>> Assembler::open_area(const AreaText& area, std::uint64_t size) {
  if (const auto pv = pv_by_name_.find(area.name); pv != pv_by_name_.end()) {
    return open_extents(pv->second, area.extent, size);
  }
  auto volume = TRY(open_plain(area.name));
  const std::uint64_t extents = volume->size() / group_.extent_size;
  if (area.extent > extents || size > volume->size() - area.extent * group_.extent_size) {
    return fail(EUCLEAN, "LVM: {} bytes at extent {} are not inside {}/{}", size, area.extent, group_.name,
                printable(area.name));
  }
  return SubSource::create(std::move(volume), area.extent * group_.extent_size, size);
}

Result<std::shared_ptr<const Source>> Assembler::open_extents(std::size_t device, std::uint64_t extent,
                                                              std::uint64_t size) {
  const PvText& pv = group_.physical_volumes[device];
  const auto& source = devices_[device];
  if (source == nullptr && pv.missing) {
    return fail(ENXIO,
                "LVM: the physical volume {} of group {} is marked as missing: what is on it can be old",
                pv.uuid, group_.name);
  }
  if (source == nullptr) {
    return fail(ENXIO, "LVM: the physical volume {} of group {} is missing (give its image with --add)",
                pv.uuid, group_.name);
  }
  const std::uint64_t extents = (size + group_.extent_size - 1) / group_.extent_size;
  if (extent > pv.pe_count || extents > pv.pe_count - extent) {
    return fail(EUCLEAN, "LVM: extents {} to {} of physical volume {}, which has {}", extent,
                extent + extents - 1, printable(pv.name), pv.pe_count);
  }
  const std::uint64_t room = source->size() < pv.pe_start ? 0 : source->size() - pv.pe_start;
  if (extent > room / group_.extent_size || size > room - extent * group_.extent_size) {
    return fail(EUCLEAN,
                "LVM: extent {} of physical volume {} is behind the end of its device of {} (is it cut off?)",
                extent, pv.uuid, human_size(source->size()));
  }
  return SubSource::create(source, pv.pe_start + extent * group_.extent_size, size);
}

}  // namespace vmfs::lvm
