// SPDX-License-Identifier: MIT
#include "launcher/inspect/inspection.h"

#include <algorithm>

namespace vmfs {
namespace {

void find_volumes(Inspection& inspection, const Warn& warn) {
  for (const Volume& volume : inspection.disk.volumes) {
    VolumeFindings findings{.volume = &volume, .usage = {}, .system = {}, .directories = {}};
    if (volume.filesystem) {
      if (const auto usage = volume.filesystem->usage()) findings.usage = *usage;
      auto system = find_operating_system(*volume.filesystem);
      if (!system)
        warn(fmt::format("{}: cannot look for an operating system: {}", volume.name, system.error().what));
      if (system) findings.system = *std::move(system);
    }
    inspection.volumes.push_back(std::move(findings));
  }
}

void add_directory(Inspection& inspection, const Volume* volume, const std::string& directory) {
  const auto found = std::ranges::find(inspection.volumes, volume, &VolumeFindings::volume);
  if (found != inspection.volumes.end()) found->directories.push_back(directory);
}

void find_guests(Inspection& inspection, const FilesystemOptions& options) {
  for (std::size_t i = 0; i < inspection.volumes.size(); ++i) {
    const VolumeFindings& root = inspection.volumes[i];
    if (!root.system) continue;
    Guest guest = assemble_guest(inspection.disk, *root.volume, options);
    // With its /usr in place the guest may know better who it is.
    auto system = find_operating_system(*guest.tree);
    inspection.guests.push_back({.root = root.volume,
                                 .system = system && *system ? **std::move(system) : *root.system,
                                 .facts = find_system_facts(*guest.tree),
                                 .mounts = std::move(guest.mounts)});
    add_directory(inspection, root.volume, "/");
    for (const GuestMount& mount : inspection.guests.back().mounts) {
      if (mount.state == GuestMount::State::shown)
        add_directory(inspection, mount.volume, mount.entry.directory);
    }
  }
}

}  // namespace

Result<Inspection> inspect_image(const ImageOptions& options, std::vector<Image> images, const Warn& warn) {
  Disk disk = TRY(open_disk_from_options(options, images, warn));
  Inspection inspection{.path = options.image,
                        .images = std::move(images),
                        .disk = std::move(disk),
                        .volumes = {},
                        .guests = {}};
  find_volumes(inspection, warn);
  // What is missing in a tree is shown with the line of fstab that names it.
  find_guests(inspection, filesystem_options(options, [](const std::string&) {}));
  return inspection;
}

std::uint64_t used_bytes(const Usage& usage) {
  return (usage.blocks - usage.blocks_free) * usage.block_size;
}

}  // namespace vmfs
