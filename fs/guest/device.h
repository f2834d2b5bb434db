// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "fs/guest/guest.h"

namespace vmfs {

/// Finds the volumes that a guest's fstab(5) names.
class DeviceNames {
 public:
  /// `root` is where the guest lives and `root_device` what its fstab calls it, empty if it does not: from
  /// "/dev/sdb1" follows that the guest's sdb is our first disk. `disk` and `root` must outlive this.
  DeviceNames(const Disk& disk, const Volume& root, std::string_view root_device);

  /// The volume of this name: UUID=, LABEL=, PARTUUID= or PARTLABEL= and a value, in quotes or not; a path in
  /// /dev/disk/by-*; /dev/mapper/GROUP-VOLUME or /dev/GROUP/VOLUME; a partition of a disk as /dev/sda1, vda1,
  /// xvda1, hda1, nvme0n1p1 or mmcblk0p1, or the whole disk. Null where there is none; of several the first.
  [[nodiscard]] const Volume* find(std::string_view device) const;

 private:
  [[nodiscard]] const Volume* find_tag(std::string_view tag, std::string_view value) const;
  [[nodiscard]] const Volume* find_link(std::string_view path) const;
  [[nodiscard]] const Volume* find_logical(std::string_view path) const;
  [[nodiscard]] const Volume* find_logical_uuid(std::string_view identifiers) const;
  [[nodiscard]] const Volume* find_partition(std::string_view name) const;
  /// Partition 0 is the whole disk.
  [[nodiscard]] const Volume* find_number(std::size_t disk, std::uint32_t partition) const;

  const Disk& disk_;
  std::string root_disk_;   ///< what the guest calls the disk that its root is on: "sdb"; empty if unknown
  std::size_t root_index_;  ///< which of our disks that is
};

}  // namespace vmfs
