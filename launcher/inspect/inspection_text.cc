// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/ranges.h>

#include "formats/text.h"
#include "launcher/columns.h"
#include "launcher/inspect/inspection.h"

namespace vmfs {
namespace {

std::string chain_text(const ImageInfo& top) {
  std::string out;
  for (const ImageInfo* info = &top; info != nullptr; info = info->backing.get()) {
    out += fmt::format("{}{}: {}, {} virtual, {} on disk{}{}\n", info == &top ? "" : "on ",
                       printable(info->path), info->format, human_size(info->virtual_size),
                       human_size(info->allocated), info->dirty ? ", not closed cleanly" : "",
                       info->corrupt ? ", marked corrupt" : "");
    for (const auto& [name, value] : info->details) out += fmt::format("  {}: {}\n", name, printable(value));
    if (!info->data_file.empty()) out += fmt::format("  data file: {}\n", printable(info->data_file));
    for (const Snapshot& snapshot : info->snapshots) {
      out += fmt::format("  snapshot {}: {}, {}\n", printable(snapshot.id), printable(snapshot.name),
                         human_size(snapshot.size));
    }
  }
  return out;
}

/// A line for each group, and one for each of its volumes.
std::string groups_text(const Disk& disk) {
  std::string out;
  for (const VolumeGroup& group : disk.groups) {
    std::string places;
    for (const PhysicalVolume& volume : group.physical_volumes) {
      places += fmt::format(
          "{}{}", places.empty() ? "" : ", ",
          volume.member ? disk.volumes[*volume.member].name : "one that is missing, " + volume.uuid);
    }
    out += fmt::format("volume group {}: UUID {}, extents of {}, on {}\n", printable(group.name), group.uuid,
                       human_size(group.extent_size), printable(places));
    for (const LogicalVolume& volume : group.logical_volumes) {
      if (volume.visible)
        out += fmt::format("  {}: {}, {}\n", printable(volume.name), volume.type, human_size(volume.size));
    }
  }
  return out;
}

/// A node of the drawing: a row of cells and what is below it.
struct Branch {
  std::vector<std::string> row;
  std::vector<Branch> below;
};

Branch branch_of(const VolumeFindings& findings) {
  const Volume& volume = *findings.volume;
  const FilesystemInfo info = volume.filesystem ? volume.filesystem->info() : FilesystemInfo{};
  const std::string type = !info.type.empty() ? info.type : volume.identity ? volume.identity->type : "";
  return {.row = {printable(volume.name), human_size(volume.source->size()), type,
                  findings.usage ? human_size(used_bytes(*findings.usage)) : "", printable(info.label),
                  printable(info.uuid), volume.partition ? printable(volume.partition->name) : "", info.state,
                  printable(fmt::format("{}", fmt::join(findings.directories, " "))),
                  findings.system ? printable(findings.system->pretty_name) : ""},
          .below = {}};
}

/// The logical volumes of a group are drawn below the first of its physical volumes that is there.
const VolumeGroup* group_on(const Disk& disk, std::size_t volume) {
  const auto found = std::ranges::find_if(disk.groups, [&](const VolumeGroup& group) {
    const auto first = std::ranges::find_if(group.physical_volumes,
                                            [](const auto& physical) { return physical.member.has_value(); });
    return first != group.physical_volumes.end() && *first->member == volume;
  });
  return found == disk.groups.end() ? nullptr : &*found;
}

std::vector<Branch> draw(const Inspection& inspection) {
  const Disk& disk = inspection.disk;
  std::vector<Branch> disks(inspection.images.size());
  for (std::size_t i = 0; i < inspection.volumes.size(); ++i) {
    const Volume& volume = *inspection.volumes[i].volume;
    if (volume.logical) continue;
    Branch branch = branch_of(inspection.volumes[i]);
    if (const VolumeGroup* const group = group_on(disk, i)) {
      for (const VolumeFindings& logical : inspection.volumes) {
        if (logical.volume->logical && logical.volume->logical->group == group->name)
          branch.below.push_back(branch_of(logical));
      }
    }
    Branch& place = disks[volume.disk];
    if (!volume.partition) {
      place = std::move(branch);
      continue;
    }
    const Image& image = inspection.images[volume.disk];
    place.row = {volume.disk == 0 ? "disk" : fmt::format("disk{}", volume.disk + 1),
                 human_size(image.disk->size()), volume.disk == 0 && disk.table ? disk.table->kind : ""};
    place.below.push_back(std::move(branch));
  }
  return disks;
}

void add_rows(std::vector<std::vector<std::string>>& rows, const Branch& branch, const std::string& own,
              const std::string& below) {
  rows.push_back(branch.row);
  if (!branch.row.empty()) rows.back().front() = own + branch.row.front();
  for (std::size_t i = 0; i < branch.below.size(); ++i) {
    const bool last = i + 1 == branch.below.size();
    add_rows(rows, branch.below[i], below + (last ? "└─" : "├─"), below + (last ? "  " : "│ "));
  }
}

std::string mount_text(const GuestMount& mount) {
  switch (mount.state) {
    case GuestMount::State::root:
      return mount.volume != nullptr ? mount.volume->name : "the root";
    case GuestMount::State::shown:
      return mount.volume->name;
    case GuestMount::State::ignored:
      if (mount.volume != nullptr) return fmt::format("{} (ignored: {})", mount.volume->name, mount.reason);
      return "ignored: " + mount.reason;
    case GuestMount::State::missing:
      return "missing: " + mount.reason;
  }
  return "";
}

std::string guest_text(const GuestFindings& guest) {
  std::string out =
      fmt::format("\n{} on {}\n", printable(guest.system.pretty_name), printable(guest.root->name));
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("  {}: {}\n", name, value);
  };
  line("id", printable(guest.system.id) +
                 (guest.system.version.empty() ? "" : " " + printable(guest.system.version)));
  line("architecture", guest.facts.architecture);
  line("hostname", guest.facts.hostname);
  line("init", guest.facts.init);
  line("kernels", fmt::format("{}", fmt::join(guest.facts.kernels, ", ")));
  for (const Packages& packages : guest.facts.packages) {
    const std::string database = packages.database.empty() ? "" : fmt::format(" ({})", packages.database);
    line("packages",
         fmt::format("{} by {}{}", packages.count ? fmt::format("{}", *packages.count) : "unknown number",
                     packages.manager, database));
  }
  if (guest.mounts.empty()) return out;
  std::vector<std::vector<std::string>> rows = {{"  DIRECTORY", "DEVICE", "TYPE", "OPTIONS", "VOLUME"}};
  for (const GuestMount& mount : guest.mounts) {
    rows.push_back({"  " + printable(mount.entry.directory), printable(mount.entry.device),
                    printable(mount.entry.type), printable(mount.entry.options),
                    printable(mount_text(mount))});
  }
  return out + columns(rows);
}

}  // namespace

std::string to_text(const Inspection& inspection) {
  std::string out;
  for (const Image& image : inspection.images) out += chain_text(*image.info);
  if (const auto& table = inspection.disk.table) {
    out += fmt::format("partition table: {}, id {}, sectors of {} bytes\n", table->kind, table->id,
                       table->sector_size);
  }
  out += groups_text(inspection.disk);
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "SIZE", "TYPE", "USED", "LABEL", "UUID", "PARTLABEL", "STATE", "DIRECTORY", "SYSTEM"}};
  for (const Branch& disk : draw(inspection)) add_rows(rows, disk, "", "");
  out += '\n' + columns(rows);
  for (const VolumeFindings& findings : inspection.volumes) {
    const Volume& volume = *findings.volume;
    if (volume.filesystem) {
      out += fmt::format("{} features: {}\n", printable(volume.name),
                         fmt::join(volume.filesystem->info().features, " "));
    }
    if (volume.error) out += fmt::format("{}: {}\n", printable(volume.name), printable(volume.error->what));
  }
  for (const GuestFindings& guest : inspection.guests) out += guest_text(guest);
  return out;
}

}  // namespace vmfs
