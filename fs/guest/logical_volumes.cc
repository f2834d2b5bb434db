// SPDX-License-Identifier: MIT
#include "fs/guest/logical_volumes.h"

#include <algorithm>
#include <cerrno>

namespace vmfs {
namespace {

/// A logical volume of which only the size is known.
class UnreadableSource final : public Source {
 public:
  UnreadableSource(std::uint64_t size, Error error) : Source(size), error_(std::move(error)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t /*offset*/, std::uint64_t /*max_length*/) const override {
    return std::unexpected(error_);
  }

  const Error error_;
};

std::string double_hyphens(std::string_view name) {
  std::string out;
  for (const char c : name) out.append(c == '-' ? 2 : 1, c);
  return out;
}

/// Where two groups have the same name, which copies of a disk and different guests bring about, the later
/// one goes by its UUID.
std::string distinct_name(const Disk& disk, const VolumeGroup& group) {
  const bool taken = std::ranges::any_of(disk.volumes, [&](const Volume& volume) {
    return volume.logical && volume.logical->group == group.name;
  });
  return taken ? group.uuid : group.name;
}

void add_group(Disk& disk, const VolumeGroup& group) {
  const std::string name = distinct_name(disk, group);
  for (const LogicalVolume& logical : group.logical_volumes) {
    if (!logical.source && !logical.error) continue;
    Volume& volume = disk.volumes.emplace_back();
    volume.name = fmt::format("{}/{}", name, logical.name);
    volume.logical = LogicalVolumeName{.group = name, .volume = logical.name, .uuid = logical.uuid};
    if (logical.source) {
      volume.source = logical.source;
      identify(volume);
    } else {
      volume.source = std::make_shared<UnreadableSource>(logical.size, *logical.error);
      volume.error = logical.error;
    }
  }
}

/// What a physical volume says of itself when it is wanted.
Error member_error(const Lvm& lvm, const Result<std::size_t>& group) {
  if (!group) {
    return {group.error().code, fmt::format("LVM2_member: cannot be read: {}", group.error().what)};
  }
  const VolumeGroup& owner = lvm.groups[*group];
  return {EOPNOTSUPP,
          fmt::format("LVM2_member: a physical volume of group {}, whose volumes are shown", owner.name)};
}

}  // namespace

void add_logical_volumes(Disk& disk, const Warn& warn) {
  std::vector<LvmMember> members;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < disk.volumes.size(); ++i) {
    const Volume& volume = disk.volumes[i];
    if (!volume.identity || volume.identity->type != "LVM2_member") continue;
    members.push_back({.name = volume.name, .source = volume.source});
    indices.push_back(i);
  }
  if (members.empty()) return;
  Lvm lvm = open_lvm(members, warn);
  for (std::size_t i = 0; i < members.size(); ++i) {
    disk.volumes[indices[i]].error = member_error(lvm, lvm.members[i]);
    disk.volumes[indices[i]].is_member = lvm.members[i].has_value();
  }
  for (VolumeGroup& group : lvm.groups) {
    for (PhysicalVolume& physical : group.physical_volumes) {
      if (physical.member) physical.member = indices[*physical.member];
    }
    add_group(disk, group);
  }
  disk.groups = std::move(lvm.groups);
}

bool is_path_of(const LogicalVolumeName& logical, std::string_view path) {
  constexpr std::string_view devices = "/dev/";
  const std::string name = fmt::format("{}/{}", logical.group, logical.volume);
  if (path == name) return true;
  if (!path.starts_with(devices)) return false;
  path.remove_prefix(devices.size());
  return path == name ||
         path == fmt::format("mapper/{}-{}", double_hyphens(logical.group), double_hyphens(logical.volume));
}

}  // namespace vmfs
