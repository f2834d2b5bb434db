// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string_view>

#include "formats/text.h"
#include "fs/guest/guest.h"

namespace vmfs {
namespace {

constexpr std::size_t max_listed = 16;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string label_of(const Volume& volume) {
  const std::string& own = volume.filesystem ? volume.filesystem->info().label : "";
  return !own.empty() || !volume.partition ? own : volume.partition->name;
}

/// A volume in a line for people: p2 (ext4 "root", 8.0 GiB).
std::string describe(const Volume& volume) {
  const std::string label = printable(label_of(volume));
  return fmt::format("{} ({}{}, {})", volume.name, volume.identity ? volume.identity->type : "unknown",
                     label.empty() ? "" : fmt::format(" \"{}\"", label), human_size(volume.source->size()));
}

template <class Volumes>
std::string list(const Volumes& volumes) {
  std::string out;
  std::size_t count = 0;
  for (const Volume* volume : volumes) {
    if (++count <= max_listed) out += (out.empty() ? "" : ", ") + describe(*volume);
  }
  return count > max_listed ? fmt::format("{} and {} more", out, count - max_listed) : out;
}

using Volumes = std::vector<const Volume*>;

template <class Condition>
Volumes select(const Disk& disk, const Condition& condition) {
  Volumes found;
  for (const Volume& volume : disk.volumes) {
    if (condition(volume)) found.push_back(&volume);
  }
  return found;
}

Volumes all(const Disk& disk) {
  return select(disk, [](const Volume&) { return true; });
}

/// The volume, or its own error where it cannot be read.
Result<const Volume*> usable(const Volume& volume) {
  if (volume.filesystem) return &volume;
  const Error& error = *volume.error;
  return fail(error.code, "{}: {}", describe(volume), error.what);
}

/// By which of its names a volume is wanted.
enum class Name : std::uint8_t { number, logical, label, uuid, partlabel, partuuid };

bool matches(const Volume& volume, Name name, std::string_view wanted) {
  switch (name) {
    case Name::number:
      return lower(wanted) == volume.name || (volume.partition && wanted == volume.name.substr(1));
    case Name::logical:
      return volume.logical && is_path_of(*volume.logical, wanted);
    case Name::label:
      return volume.filesystem && lower(volume.filesystem->info().label) == lower(wanted);
    case Name::uuid:
      return volume.filesystem && lower(volume.filesystem->info().uuid) == lower(wanted);
    case Name::partlabel:
      return volume.partition && lower(volume.partition->name) == lower(wanted);
    case Name::partuuid:
      return volume.partition && lower(volume.partition->uuid) == lower(wanted);
  }
  return false;
}

struct Prefix {
  std::string_view text;
  Name name;
};
constexpr Prefix prefixes[] = {{"label=", Name::label},
                               {"uuid=", Name::uuid},
                               {"partlabel=", Name::partlabel},
                               {"partuuid=", Name::partuuid}};

Volumes find_wanted(const Disk& disk, std::string_view wanted) {
  for (const Prefix& prefix : prefixes) {
    if (!lower(wanted).starts_with(prefix.text)) continue;
    const std::string_view value = wanted.substr(prefix.text.size());
    if (value.empty()) return {};
    return select(disk, [&](const Volume& volume) { return matches(volume, prefix.name, value); });
  }
  for (const Name name :
       {Name::number, Name::logical, Name::label, Name::uuid, Name::partlabel, Name::partuuid}) {
    auto found = select(disk, [&](const Volume& volume) { return matches(volume, name, wanted); });
    if (!found.empty()) return found;
  }
  return {};
}

Result<const Volume*> choose_wanted(const Disk& disk, const std::string& wanted) {
  const Volumes found = find_wanted(disk, wanted);
  if (found.empty()) {
    return fail(ENOENT, "no partition '{}'; there is {}", printable(wanted), list(all(disk)));
  }
  if (found.size() > 1) {
    return fail(ENOTUNIQ, "'{}' names several partitions: {}; choose one by its name", printable(wanted),
                list(found));
  }
  return usable(*found.front());
}

struct Root {
  const Volume* volume;
  OperatingSystem os;
};

std::vector<Root> find_roots(const Disk& disk, const Warn& warn) {
  std::vector<Root> roots;
  for (const Volume& volume : disk.volumes) {
    if (!volume.filesystem) continue;
    auto os = find_operating_system(*volume.filesystem);
    if (!os) warn(fmt::format("{}: cannot look for an operating system: {}", volume.name, os.error().what));
    if (os && *os) roots.push_back({.volume = &volume, .os = **std::move(os)});
  }
  return roots;
}

std::string list_roots(const std::vector<Root>& roots) {
  std::string out;
  for (const Root& root : std::span(roots).first(std::min(roots.size(), max_listed))) {
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", root.volume->name, root.os.pretty_name);
  }
  return out;
}

/// Whether the system could be on a volume that cannot be read: not on an EFI system partition or swap.
bool may_hide_system(const Volume& volume) {
  if (volume.filesystem || volume.is_member) return false;
  if (!volume.identity)
    return volume.logical && volume.error && volume.error->code != EINVAL;  // EINVAL: looked at
  const VolumeIdentity& identity = *volume.identity;
  return identity.usage != "other" && identity.type != "vfat" && identity.type != "exfat";
}

/// Without an operating system in sight: the only readable volume, unless the system may be on one that
/// cannot be read.
Result<const Volume*> choose_without_system(const Disk& disk) {
  // What firmware boots from is shown where nothing else can be.
  Volumes readable = select(disk, [](const Volume& volume) {
    return volume.filesystem && volume.filesystem->info().type != "vfat";
  });
  const Volumes hidden = select(disk, may_hide_system);
  if (readable.empty() && hidden.empty())
    readable = select(disk, [](const Volume& volume) { return volume.filesystem != nullptr; });
  if (readable.empty()) {
    if (disk.volumes.size() == 1) return usable(disk.volumes.front());
    if (hidden.size() == 1) return usable(*hidden.front());
    return fail(EOPNOTSUPP, "nothing on this disk can be read; there is {}", list(all(disk)));
  }
  if (!hidden.empty()) {
    const Volume& first = *hidden.front();
    return fail(
        EOPNOTSUPP,
        "no operating system on what can be read, and {}: {}; there is {}; choose one that can be read with "
        "--partition",
        first.name, first.error ? first.error->what : "cannot be read", list(all(disk)));
  }
  if (readable.size() == 1) return readable.front();
  return fail(ENOTUNIQ,
              "several file systems and none holds an operating system: {}; choose one with --partition",
              list(readable));
}

}  // namespace

Result<const Volume*> choose_volume(const Disk& disk, const std::string& wanted, const Warn& warn) {
  if (!wanted.empty()) return choose_wanted(disk, wanted);
  if (disk.volumes.size() == 1 && disk.volumes.front().filesystem) return &disk.volumes.front();
  const std::vector<Root> roots = find_roots(disk, warn);
  if (roots.empty()) return choose_without_system(disk);
  if (roots.size() > 1) {
    warn(fmt::format("several operating systems: {}; {} is taken, choose another with --partition",
                     list_roots(roots), roots.front().volume->name));
  }
  return roots.front().volume;
}

}  // namespace vmfs
