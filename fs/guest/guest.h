// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/image.h"
#include "formats/lvm/lvm.h"
#include "formats/partition/partition_table.h"
#include "fs/filesystem.h"
#include "fs/registry.h"

namespace vmfs {

/// Which logical volume a volume is.
struct LogicalVolumeName {
  std::string group;
  std::string volume;
  std::string uuid;  ///< of the volume, as LVM writes it
};

/// A place that can hold a file system: a partition, the whole disk where it has no partition table, or a
/// logical volume.
struct Volume {
  /// How `inspect` shows it: "disk", "p" and the partition's number, or "GROUP/VOLUME". On further disks
  /// "disk2", "disk2p1" and so on.
  std::string name;
  std::size_t disk = 0;                      ///< which of the disks, from 0; 0 for a logical volume
  std::optional<Partition> partition;        ///< absent for a whole disk and a logical volume
  std::optional<LogicalVolumeName> logical;  ///< absent for what lies on a disk itself
  std::shared_ptr<const Source> source;      ///< of an unreadable logical volume: its size only
  std::optional<VolumeIdentity> identity;
  bool is_member = false;  ///< an LVM physical volume, whose group was found
  /// The file system, where it can be read; else `error` says why not.
  std::shared_ptr<const Filesystem> filesystem;
  std::optional<Error> error;
};

/// The disks of a guest and what is on them.
struct Disk {
  std::optional<PartitionTable> table;  ///< of the first disk
  std::vector<Volume> volumes;          ///< by disk and partition number, then logical volumes by group
  std::vector<VolumeGroup> groups;      ///< `member` of a physical volume is an index of `volumes`
};

/// Reads the partition tables of disks, puts logical volumes together from all of them, identifies every
/// volume and opens every file system that can be read. Logical volumes that are parts of others, and pools,
/// are no volumes. A volume that cannot be opened is no error here: its `error` says why. Warnings are
/// prefixed by the volume's name. Errors: as read_partition_table().
[[nodiscard]] Result<Disk> open_disks(std::span<const std::shared_ptr<const Source>> disks,
                                      const FilesystemOptions& options);

/// The same for one disk.
[[nodiscard]] Result<Disk> open_disk(std::shared_ptr<const Source> disk, const FilesystemOptions& options);

/// Whether `path` names a logical volume: "GROUP/VOLUME", "/dev/GROUP/VOLUME", or "/dev/mapper/GROUP-VOLUME",
/// where the hyphens of the names themselves are doubled.
[[nodiscard]] bool is_path_of(const LogicalVolumeName& logical, std::string_view path);

/// What a guest's os-release(5) says, unquoted.
struct OperatingSystem {
  std::string id;           ///< ID, "linux" where there is none
  std::string version;      ///< VERSION_ID
  std::string pretty_name;  ///< PRETTY_NAME
};

/// Whether a file system is the root of an operating system: it has /etc/os-release or /usr/lib/os-release,
/// or the folders and the shell or init of an older one. Symbolic links are followed inside the file system
/// only. Absent: it is none. Errors: EIO and EUCLEAN from the file system.
[[nodiscard]] Result<std::optional<OperatingSystem>> find_operating_system(const Filesystem& filesystem);

/// Chooses the volume to show. `wanted` is empty (the one that holds an operating system, else the only
/// readable one), or a partition's number, "p" and its number, a logical volume by a path that is_path_of()
/// knows, a file system's or partition's label or UUID. When several hold an operating system the first is
/// taken and `warn` says which and how to choose. Errors: ENOENT (nothing of that name, with what there is),
/// ENOTUNIQ (several readable, none with a system), and the volume's own error where the wanted one cannot be
/// read.
[[nodiscard]] Result<const Volume*> choose_volume(const Disk& disk, const std::string& wanted,
                                                  const Warn& warn);

}  // namespace vmfs
