// SPDX-License-Identifier: MIT
#include <ranges>

#include <nlohmann/json.hpp>

#include "launcher/inspect/inspection.h"

namespace vmfs {
namespace {

using nlohmann::json;

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json to_json(const ImageInfo& info) {
  json details = json::object();
  for (const auto& [name, value] : info.details) details[name] = value;
  json snapshots = json::array();
  for (const Snapshot& snapshot : info.snapshots) {
    snapshots.push_back(
        {{"id", snapshot.id}, {"name", snapshot.name}, {"size", snapshot.size}, {"time", snapshot.time}});
  }
  json out = {
      {"path", info.path},           {"format", info.format},       {"virtual_size", info.virtual_size},
      {"file_size", info.file_size}, {"allocated", info.allocated}, {"dirty", info.dirty},
      {"corrupt", info.corrupt},     {"details", details},          {"snapshots", snapshots}};
  if (!info.data_file.empty()) out["data_file"] = info.data_file;
  return out;
}

json chain_of(const Image& image) {
  json chain = json::array();
  for (auto info = image.info; info; info = info->backing) chain.push_back(to_json(*info));
  return chain;
}

json to_json(const FilesystemInfo& info, const std::optional<Usage>& usage) {
  json out = {{"type", info.type},         {"label", info.label}, {"uuid", info.uuid},
              {"features", info.features}, {"state", info.state}, {"size", info.size}};
  if (usage) {
    out["block_size"] = usage->block_size;
    out["used"] = used_bytes(*usage);
    out["available"] = usage->blocks_available * usage->block_size;
    out["files"] = usage->files - usage->files_free;
  }
  return out;
}

json to_json(const OperatingSystem& system) {
  return {{"id", system.id}, {"version", system.version}, {"pretty_name", system.pretty_name}};
}

json to_json(const VolumeFindings& findings) {
  const Volume& volume = *findings.volume;
  json out = {{"name", volume.name}, {"size", volume.source->size()}, {"directories", findings.directories}};
  if (const auto& partition = volume.partition) {
    out["partition"] = {{"number", partition->number}, {"offset", partition->offset},
                        {"size", partition->size},     {"type", partition->type},
                        {"name", partition->name},     {"uuid", partition->uuid}};
  }
  if (const auto& logical = volume.logical) {
    out["logical_volume"] = {{"group", logical->group}, {"name", logical->volume}, {"uuid", logical->uuid}};
  }
  if (volume.identity) out["content"] = {{"type", volume.identity->type}, {"usage", volume.identity->usage}};
  if (volume.filesystem) out["filesystem"] = to_json(volume.filesystem->info(), findings.usage);
  if (findings.system) out["operating_system"] = to_json(*findings.system);
  if (volume.error) out["error"] = volume.error->what;
  return out;
}

json to_json(const VolumeGroup& group, const Disk& disk) {
  json physical = json::array();
  for (const PhysicalVolume& volume : group.physical_volumes) {
    physical.push_back({{"uuid", volume.uuid},
                        {"size", volume.size},
                        {"missing", !volume.member},
                        {"outdated", volume.outdated},
                        {"volume", volume.member ? json(disk.volumes[*volume.member].name) : json(nullptr)}});
  }
  json logical = json::array();
  for (const LogicalVolume& volume : group.logical_volumes) {
    logical.push_back({{"name", volume.name},
                       {"uuid", volume.uuid},
                       {"type", volume.type},
                       {"size", volume.size},
                       {"visible", volume.visible}});
    if (volume.error) logical.back()["error"] = volume.error->what;
  }
  return {{"name", group.name},           {"uuid", group.uuid},
          {"seqno", group.seqno},         {"extent_size", group.extent_size},
          {"physical_volumes", physical}, {"logical_volumes", logical}};
}

const char* name_of(GuestMount::State state) {
  switch (state) {
    case GuestMount::State::root:
      return "root";
    case GuestMount::State::shown:
      return "shown";
    case GuestMount::State::ignored:
      return "ignored";
    case GuestMount::State::missing:
      return "missing";
  }
  return "";
}

json to_json(const GuestMount& mount) {
  return {{"device", mount.entry.device},
          {"directory", mount.entry.directory},
          {"type", mount.entry.type},
          {"options", mount.entry.options},
          {"state", name_of(mount.state)},
          {"volume", mount.volume != nullptr ? json(mount.volume->name) : json(nullptr)},
          {"reason", text_or_null(mount.reason)}};
}

json to_json(const GuestFindings& guest) {
  json out = to_json(guest.system);
  out["root"] = guest.root->name;
  out["architecture"] = text_or_null(guest.facts.architecture);
  out["hostname"] = text_or_null(guest.facts.hostname);
  out["init"] = text_or_null(guest.facts.init);
  out["kernels"] = guest.facts.kernels;
  out["packages"] = json::array();
  for (const Packages& packages : guest.facts.packages) {
    out["packages"].push_back({{"manager", packages.manager},
                               {"count", packages.count ? json(*packages.count) : json(nullptr)},
                               {"database", text_or_null(packages.database)}});
  }
  out["fstab"] = json::array();
  for (const GuestMount& mount : guest.mounts) out["fstab"].push_back(to_json(mount));
  return out;
}

}  // namespace

std::string to_json_text(const Inspection& inspection) {
  json out = {{"path", inspection.path},        {"chain", chain_of(inspection.images.front())},
              {"partition_table", nullptr},     {"volumes", json::array()},
              {"volume_groups", json::array()}, {"guests", json::array()}};
  for (const VolumeFindings& volume : inspection.volumes) out["volumes"].push_back(to_json(volume));
  for (const VolumeGroup& group : inspection.disk.groups)
    out["volume_groups"].push_back(to_json(group, inspection.disk));
  for (const GuestFindings& guest : inspection.guests) out["guests"].push_back(to_json(guest));
  for (const Image& image : inspection.images | std::views::drop(1)) out["added"].push_back(chain_of(image));
  if (const auto& table = inspection.disk.table) {
    out["partition_table"] = {{"kind", table->kind}, {"id", table->id}, {"sector_size", table->sector_size}};
  }
  // Names in an image need not be UTF-8, JSON must.
  return out.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vmfs
