// SPDX-License-Identifier: MIT
#include "fs/guest/device.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vmfs {
namespace {

constexpr std::string_view digits = "0123456789";

bool equal_in_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Takes a number from the front of `text`; absent where there is none, or one that no partition has.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || number > 1 << 20) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// A name below /dev of a disk or of a partition on it.
struct DiskName {
  std::string disk;             ///< "sdb", "nvme0n1"
  std::size_t index = 0;        ///< which of its kind: 1 for sdb
  std::uint32_t partition = 0;  ///< 0: the whole disk
};

/// sda, sda1; also vd, xvd and hd.
std::optional<DiskName> parse_lettered(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kinds = {"sd", "vd", "xvd", "hd"};
  const auto* const kind = std::ranges::find_if(kinds, [&](auto prefix) { return name.starts_with(prefix); });
  if (kind == kinds.end()) return std::nullopt;
  const std::string_view letters =
      name.substr(kind->size(), std::min(name.size(), name.find_first_of(digits)) - kind->size());
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (letters.empty() || letters.size() > 3 || !std::ranges::all_of(letters, is_letter)) return std::nullopt;
  DiskName found{.disk = std::string(name.substr(0, kind->size() + letters.size()))};
  for (const char letter : letters)
    found.index = found.index * 26 + static_cast<std::size_t>(letter - 'a') + 1;
  --found.index;
  std::string_view rest = name.substr(found.disk.size());
  if (rest.empty()) return found;
  const auto number = take_number(rest);
  if (!number || *number == 0 || !rest.empty()) return std::nullopt;
  found.partition = *number;
  return found;
}

/// nvme0n1, nvme0n1p1; mmcblk0, mmcblk0p1.
std::optional<DiskName> parse_numbered(std::string_view name) {
  const bool is_nvme = name.starts_with("nvme");
  if (!is_nvme && !name.starts_with("mmcblk")) return std::nullopt;
  std::string_view rest = name.substr(is_nvme ? 4 : 6);
  const auto index = take_number(rest);
  if (!index) return std::nullopt;
  if (is_nvme) {
    if (!rest.starts_with('n')) return std::nullopt;
    rest.remove_prefix(1);
    if (!take_number(rest)) return std::nullopt;
  }
  DiskName found{.disk = std::string(name.substr(0, name.size() - rest.size())), .index = *index};
  if (rest.empty()) return found;
  if (!rest.starts_with('p')) return std::nullopt;
  rest.remove_prefix(1);
  const auto number = take_number(rest);
  if (!number || *number == 0 || !rest.empty()) return std::nullopt;
  found.partition = *number;
  return found;
}

std::optional<DiskName> parse_disk(std::string_view name) {
  if (auto lettered = parse_lettered(name)) return lettered;
  return parse_numbered(name);
}

/// udev(7) writes what is odd in a name as \xNN.
std::string decode_udev(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned value = 0;
    const char* const first = name.data() + i + 2;
    if (name.substr(i).starts_with("\\x") && name.size() - i >= 4 &&
        std::from_chars(first, first + 2, value, 16).ptr == first + 2) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += name[i];
    }
  }
  return out;
}

std::string_view unquote(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

const Volume* first_of(const Disk& disk, const auto& condition) {
  const auto found = std::ranges::find_if(disk.volumes, condition);
  return found == disk.volumes.end() ? nullptr : &*found;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

DeviceNames::DeviceNames(const Disk& disk, const Volume& root, std::string_view root_device)
    : disk_(disk), root_index_(root.disk) {
  if (!take_prefix(root_device, "/dev/")) return;
  if (const auto named = parse_disk(root_device)) root_disk_ = named->disk;
}

const Volume* DeviceNames::find(std::string_view device) const {
  const std::size_t equals = device.find('=');
  if (!device.starts_with('/') && equals != std::string_view::npos) {
    return find_tag(device.substr(0, equals), unquote(device.substr(equals + 1)));
  }
  if (!take_prefix(device, "/dev/")) return nullptr;
  if (take_prefix(device, "disk/")) return find_link(device);
  if (device.find('/') != std::string_view::npos) return find_logical(fmt::format("/dev/{}", device));
  return find_partition(device);
}

const Volume* DeviceNames::find_tag(std::string_view tag, std::string_view value) const {
  if (value.empty()) return nullptr;
  return first_of(disk_, [&](const Volume& volume) {
    if (tag == "UUID") return volume.filesystem && equal_in_any_case(volume.filesystem->info().uuid, value);
    if (tag == "LABEL") return volume.filesystem && volume.filesystem->info().label == value;
    if (tag == "PARTUUID") return volume.partition && equal_in_any_case(volume.partition->uuid, value);
    return tag == "PARTLABEL" && volume.partition && volume.partition->name == value;
  });
}

/// A path below /dev/disk.
const Volume* DeviceNames::find_link(std::string_view path) const {
  if (take_prefix(path, "by-uuid/")) return find_tag("UUID", decode_udev(path));
  if (take_prefix(path, "by-label/")) return find_tag("LABEL", decode_udev(path));
  if (take_prefix(path, "by-partuuid/")) return find_tag("PARTUUID", decode_udev(path));
  if (take_prefix(path, "by-partlabel/")) return find_tag("PARTLABEL", decode_udev(path));
  if (take_prefix(path, "by-id/dm-name-"))
    return find_logical(fmt::format("/dev/mapper/{}", decode_udev(path)));
  if (take_prefix(path, "by-id/dm-uuid-LVM-")) return find_logical_uuid(path);
  // by-id and by-path name what the image does not know: the machine's controllers and serial numbers.
  const std::size_t part = path.rfind("-part");
  if (part == std::string_view::npos) return nullptr;
  path.remove_prefix(part + 5);
  const auto number = take_number(path);
  return number && *number != 0 && path.empty() ? find_number(root_index_, *number) : nullptr;
}

const Volume* DeviceNames::find_logical(std::string_view path) const {
  return first_of(disk_,
                  [&](const Volume& volume) { return volume.logical && is_path_of(*volume.logical, path); });
}

/// The group's identifier and the volume's, without their hyphens.
const Volume* DeviceNames::find_logical_uuid(std::string_view identifiers) const {
  constexpr std::size_t length = 32;
  if (identifiers.size() != 2 * length) return nullptr;
  return first_of(disk_, [&](const Volume& volume) {
    if (!volume.logical) return false;
    std::string uuid = volume.logical->uuid;
    std::erase(uuid, '-');
    return uuid == identifiers.substr(length);
  });
}

const Volume* DeviceNames::find_partition(std::string_view name) const {
  const auto wanted = parse_disk(name);
  if (!wanted) return nullptr;
  std::size_t disk = wanted->index;
  if (wanted->disk == root_disk_) {
    disk = root_index_;
  } else if (!root_disk_.empty() && disk == root_index_) {
    return nullptr;  // it goes by another name
  }
  return find_number(disk, wanted->partition);
}

const Volume* DeviceNames::find_number(std::size_t disk, std::uint32_t partition) const {
  return first_of(disk_, [&](const Volume& volume) {
    if (volume.logical || volume.disk != disk) return false;
    return volume.partition ? volume.partition->number == partition : partition == 0;
  });
}

}  // namespace vmfs
