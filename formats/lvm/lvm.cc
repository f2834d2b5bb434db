// SPDX-License-Identifier: MIT
#include "formats/lvm/lvm.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "formats/lvm/assemble.h"
#include "formats/lvm/group_text.h"
#include "formats/lvm/physical_volume.h"
#include "formats/text.h"

namespace vmfs {
namespace {

using lvm::GroupText;
using lvm::PvLabel;

/// Texts that cannot be read again and again: one for each area of each member, parsed once if they are the
/// same.
class Texts {
 public:
  /// Parses the metadata of one member. Errors: ENODATA where it has none; what is wrong with all its areas.
  Result<void> add(const LvmMember& member, const PvLabel& label, const Warn& warn) {
    std::optional<Error> first_error;
    bool found = false;
    for (const lvm::Area& area : label.metadata_areas) {
      auto text = read_metadata_text(*member.source, area);
      if (text && text->empty()) continue;
      if (text) bytes_read_ += text->size();
      auto parsed = text ? add(*std::move(text)) : std::unexpected(std::move(text).error());
      if (parsed) {
        found = true;
      } else {
        if (!first_error) first_error = parsed.error();
        warn(fmt::format("{}: {}", member.name, parsed.error().what));
      }
    }
    if (found || !first_error) return {};
    return std::unexpected(*std::move(first_error));
  }

  /// The newest text of each group, in the order they were found.
  [[nodiscard]] std::vector<const GroupText*> newest() const {
    std::vector<const GroupText*> out;
    out.reserve(order_.size());
    for (const std::string& uuid : order_) out.push_back(&groups_.at(uuid));
    return out;
  }

 private:
  Result<void> add(std::string text) {
    if (bytes_read_ > max_bytes_read)
      return fail(EFBIG, "LVM: more than {} bytes of metadata", max_bytes_read);
    if (parsed_.contains(text)) return {};
    if (text.size() > max_bytes_parsed - bytes_parsed_) {
      return fail(EFBIG, "LVM: more than {} bytes of different metadata", max_bytes_parsed);
    }
    bytes_parsed_ += text.size();
    GroupText group = TRY(lvm::parse_group(text));
    parsed_.insert(std::move(text));
    if (groups_.size() == max_groups) return fail(EFBIG, "LVM: more than {} groups", max_groups);
    const auto [place, is_new] = groups_.try_emplace(group.uuid, group);
    if (is_new) order_.push_back(group.uuid);
    if (group.seqno > place->second.seqno) place->second = std::move(group);
    return {};
  }

  static constexpr std::size_t max_groups = 256;
  static constexpr std::size_t max_bytes_read = 512U << 20;
  static constexpr std::size_t max_bytes_parsed = 32U << 20;

  std::size_t bytes_read_ = 0;
  std::size_t bytes_parsed_ = 0;
  std::set<std::string> parsed_;
  std::map<std::string, GroupText> groups_;  ///< by UUID
  std::vector<std::string> order_;
};

constexpr std::array<std::string_view, 4> pool_types{"thin-pool", "cache-pool", "vdo-pool", "error-pool"};

/// What `lvs -o segtype` says.
std::string type_of(const lvm::LvText& volume) {
  if (volume.segments.empty()) return "";
  const lvm::SegmentText& first = volume.segments.front();
  const bool linear = first.type == "striped" && first.node.number("stripe_count") == 1U;
  return linear ? "linear" : printable(first.type);
}

VolumeGroup assemble(const GroupText& text, const std::map<std::string, std::size_t>& member_by_uuid,
                     std::span<const LvmMember> members, lvm::SnapshotBudget& budget, const Warn& warn) {
  VolumeGroup group{.name = text.name,
                    .uuid = text.uuid,
                    .seqno = text.seqno,
                    .extent_size = text.extent_size,
                    .physical_volumes = {},
                    .logical_volumes = {}};
  std::vector<std::shared_ptr<const Source>> devices;
  for (const lvm::PvText& pv : text.physical_volumes) {
    const auto found = member_by_uuid.find(pv.uuid);
    PhysicalVolume& out = group.physical_volumes.emplace_back();
    out.uuid = pv.uuid;
    out.size =
        pv.pe_count * std::min(text.extent_size, ~std::uint64_t{0} / std::max<std::uint64_t>(pv.pe_count, 1));
    out.outdated = pv.missing && found != member_by_uuid.end();
    if (found != member_by_uuid.end()) out.member = found->second;
    devices.push_back(out.member && !pv.missing ? members[*out.member].source : nullptr);
  }
  lvm::Assembler assembler(text, std::move(devices), budget, warn);
  for (const lvm::LvText& volume : text.logical_volumes) {
    if (assembler.is_record_of_snapshot(volume)) continue;
    LogicalVolume& out = group.logical_volumes.emplace_back();
    out.name = volume.name;
    out.uuid = volume.uuid;
    out.type = type_of(volume);
    out.size = volume.size;
    out.visible = assembler.is_visible(volume);
    out.pool = std::ranges::find(pool_types, out.type) != pool_types.end();
    if (!out.visible || out.pool) continue;
    if (assembler.is_snapshot(volume.name)) out.type = "snapshot";
    auto source = assembler.open(volume);
    if (source) {
      out.source = *std::move(source);
      out.size = out.source->size();
    } else {
      out.error = std::move(source).error();
    }
  }
  return group;
}

}  // namespace

Lvm open_lvm(std::span<const LvmMember> members, const Warn& warn) {
  Lvm out;
  Texts texts;
  std::map<std::string, std::size_t> member_by_uuid;
  std::vector<std::string> uuids(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const LvmMember& member = members[i];
    const Warn own_warn = [&](const std::string& what) { warn(fmt::format("{}: {}", member.name, what)); };
    out.members.emplace_back(fail(ENODATA, "LVM: the physical volume belongs to no group"));
    const auto label = lvm::read_label(*member.source, own_warn);
    if (!label) {
      out.members.back() = std::unexpected(label.error());
      continue;
    }
    const auto [place, is_new] = member_by_uuid.try_emplace(label->uuid, i);
    if (!is_new) {
      out.members.back() = fail(ENOTUNIQ, "LVM: physical volume {} is also {}, which is taken",
                                printable(label->uuid), members[place->second].name);
      warn(fmt::format("{}: {}", member.name, out.members.back().error().what));
      continue;
    }
    uuids[i] = label->uuid;
    if (auto added = texts.add(member, *label, warn); !added)
      out.members.back() = std::unexpected(added.error());
  }
  lvm::SnapshotBudget budget;
  for (const GroupText* text : texts.newest()) {
    for (const lvm::PvText& pv : text->physical_volumes) {
      const auto found = member_by_uuid.find(pv.uuid);
      if (found != member_by_uuid.end()) out.members[found->second] = out.groups.size();
    }
    out.groups.push_back(assemble(*text, member_by_uuid, members, budget, warn));
  }
  return out;
}

}  // namespace vmfs
