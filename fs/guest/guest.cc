// SPDX-License-Identifier: MIT
#include "fs/guest/guest.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/stat.h>

#include "formats/text.h"
#include "fs/guest/logical_volumes.h"
#include "fs/guest/os_release.h"
#include "fs/path.h"

namespace vmfs {
namespace {

/// os-release(5) says nothing of a size; those in use have less than 1 KiB.
constexpr std::uint64_t max_os_release = 64U << 10;

/// Says why a volume that holds something known cannot be read.
Error cannot_read(const VolumeIdentity& identity) {
  if (identity.usage == "raid") {
    return {EOPNOTSUPP,
            fmt::format("{}: part of a volume group or array, which cannot be read", identity.type)};
  }
  if (identity.usage == "crypto")
    return {EOPNOTSUPP, fmt::format("{}: encrypted, cannot be read", identity.type)};
  return {EOPNOTSUPP, fmt::format("{} cannot be read", identity.type)};
}

}  // namespace

void identify(Volume& volume) {
  auto identity = identify_volume(*volume.source);
  if (!identity) {
    volume.error = std::move(identity).error();
    return;
  }
  volume.identity = *std::move(identity);
  if (!volume.identity) {
    volume.error = Error{EINVAL, "no known file system"};
  } else if (!volume.identity->readable) {
    volume.error = cannot_read(*volume.identity);
  }
}

namespace {

void open_volume(Volume& volume, const FilesystemOptions& options) {
  FilesystemOptions own = options;
  own.warn = [&](const std::string& text) { options.warn(volume.name + ": " + text); };
  auto filesystem = open_filesystem(volume.source, volume.identity->type, own);
  if (filesystem) {
    volume.filesystem = *std::move(filesystem);
  } else {
    volume.error = std::move(filesystem).error();
  }
}

/// Volumes that hold nothing but the journal of another.
std::vector<std::shared_ptr<const Source>> journals_among(const std::vector<Volume>& volumes) {
  std::vector<std::shared_ptr<const Source>> journals;
  for (const Volume& volume : volumes) {
    if (volume.identity && volume.identity->type == "jbd") journals.push_back(volume.source);
  }
  return journals;
}

/// Adds what lies on a disk itself.
Result<void> add_disk(Disk& result, const std::shared_ptr<const Source>& disk, std::size_t number,
                      const FilesystemOptions& options) {
  const std::string prefix = number == 0 ? "" : fmt::format("disk{}", number + 1);
  const std::size_t before = result.volumes.size();
  const auto add = [&](std::string name, std::shared_ptr<const Source> source) -> Volume& {
    Volume& volume = result.volumes.emplace_back();
    volume.name = std::move(name);
    volume.disk = number;
    volume.source = std::move(source);
    return volume;
  };
  auto table = TRY(read_partition_table(*disk, options.warn));
  if (table) {
    for (const Partition& partition : table->partitions) {
      if (partition.extended) continue;
      auto source = TRY(SubSource::create(disk, partition.offset, partition.size));
      add(fmt::format("{}p{}", prefix, partition.number), std::move(source)).partition = partition;
    }
  }
  // A table without partitions: what looked like one can be the boot code of a bare file system.
  if (result.volumes.size() == before) add(number == 0 ? "disk" : prefix, disk);
  if (number == 0) result.table = std::move(table);
  return {};
}

/// Errors that say a path leads nowhere, where others say that the file system is damaged.
bool is_absent(int code) {
  static constexpr std::array codes{ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENOKEY, EACCES};
  return std::ranges::find(codes, code) != codes.end();
}

/// Whether a path exists and is a folder (`folder`) or anything else but one.
Result<bool> exists(const Filesystem& filesystem, std::string_view path, bool folder) {
  const auto inode = resolve(filesystem, path);
  if (!inode && is_absent(inode.error().code)) return false;
  if (!inode) return std::unexpected(inode.error());
  const auto attributes = TRY(filesystem.stat(*inode));
  return folder == S_ISDIR(attributes.mode);
}

/// Roots without os-release: before 2012, built by hand, or with /usr on a volume of its own.
Result<bool> looks_like_root(const Filesystem& filesystem) {
  const bool has_etc = TRY(exists(filesystem, "/etc", true));
  if (!has_etc) return false;
  for (const std::string_view program :
       {"/sbin/init", "/bin/sh", "/usr/bin/sh", "/usr/lib/systemd/systemd"}) {
    const bool there = TRY(exists(filesystem, program, false));
    if (there) return true;
  }
  const bool has_usr = TRY(exists(filesystem, "/usr", true));
  const bool has_fstab = TRY(exists(filesystem, "/etc/fstab", false));
  const bool has_passwd = TRY(exists(filesystem, "/etc/passwd", false));
  return has_usr && has_fstab && has_passwd;
}

OperatingSystem describe_os(std::string_view os_release) {
  auto values = parse_os_release(os_release);
  OperatingSystem os{.id = printable(values["ID"]),
                     .version = printable(values["VERSION_ID"]),
                     .pretty_name = printable(values["PRETTY_NAME"])};
  if (os.id.empty()) os.id = "linux";
  if (os.pretty_name.empty()) os.pretty_name = "Linux";
  return os;
}

}  // namespace

Result<Disk> open_disks(std::span<const std::shared_ptr<const Source>> disks,
                        const FilesystemOptions& options) {
  Disk result;
  for (std::size_t i = 0; i < disks.size(); ++i) TRY(add_disk(result, disks[i], i, options));
  for (Volume& volume : result.volumes) identify(volume);
  add_logical_volumes(result, options.warn);
  FilesystemOptions with_journals = options;
  with_journals.journals = journals_among(result.volumes);
  for (Volume& volume : result.volumes) {
    if (!volume.error) open_volume(volume, with_journals);
  }
  return result;
}

Result<Disk> open_disk(std::shared_ptr<const Source> disk, const FilesystemOptions& options) {
  return open_disks(std::span(&disk, 1), options);
}

Result<std::optional<OperatingSystem>> find_operating_system(const Filesystem& filesystem) {
  for (const std::string_view path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto inode = resolve(filesystem, path);
    if (!inode && is_absent(inode.error().code)) continue;
    if (!inode) return std::unexpected(inode.error());
    const auto text = read_small_file(filesystem, *inode, max_os_release);
    if (text) return describe_os(*text);
    if (text.error().code == EIO || text.error().code == EUCLEAN) return std::unexpected(text.error());
  }
  const bool is_root = TRY(looks_like_root(filesystem));
  if (is_root) return describe_os("");
  return std::optional<OperatingSystem>{};
}

}  // namespace vmfs
