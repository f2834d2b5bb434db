// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/source.h"

namespace vmfs {

/// A disk or partition that is an LVM2 physical volume (blkid's LVM2_member).
struct LvmMember {
  std::string name;  ///< for messages: "p2"
  std::shared_ptr<const Source> source;
};

/// A physical volume as `pvs` lists it.
struct PhysicalVolume {
  std::string uuid;                   ///< as the tools write it: 6-4-4-4-4-4-6 letters and digits
  std::optional<std::size_t> member;  ///< its index among the members given; absent: it is missing
  std::uint64_t size = 0;             ///< bytes of its extents
  bool outdated = false;  ///< marked as missing by its group: present again, but what is on it can be old
};

/// A logical volume as `lvs` lists it.
struct LogicalVolume {
  std::string name;
  std::string uuid;
  std::string
      type;  ///< `lvs -o segtype`: "linear", "striped", "raid1", "thin", ...; "snapshot" for a COW one
  std::uint64_t size = 0;  ///< bytes
  bool visible = false;    ///< false: a part of another volume
  bool pool = false;       ///< holds other volumes, no bytes of its own
  /// The bytes, where they can be read, of visible volumes that are no pools; else `error` says why not.
  std::shared_ptr<const Source> source;
  std::optional<Error> error;
};

/// A volume group as `vgs` lists it.
struct VolumeGroup {
  std::string name;
  std::string uuid;
  std::uint64_t seqno = 0;        ///< which version of its metadata was read
  std::uint64_t extent_size = 0;  ///< bytes
  std::vector<PhysicalVolume> physical_volumes;
  std::vector<LogicalVolume> logical_volumes;  ///< in the order of the metadata
};

/// What is on some physical volumes.
struct Lvm {
  std::vector<VolumeGroup> groups;  ///< in the order in which the members name them
  /// For each member: its group's index, or why it has none. ENODATA: it belongs to no group.
  std::vector<Result<std::size_t>> members;
};

/// Reads the labels and metadata of all members, and puts the logical volumes together. The newest valid
/// metadata of a group counts, whichever member it lies on. Nothing here fails as a whole: errors stay with
/// the member (EUCLEAN, EOPNOTSUPP, EIO) or with the volume (EOPNOTSUPP for a type that cannot be read, by
/// name; ENXIO where a physical volume is missing, naming it; EUCLEAN). Volumes map, they do not copy, and
/// live on without `Lvm`.
[[nodiscard]] Lvm open_lvm(std::span<const LvmMember> members, const Warn& warn);

}  // namespace vmfs
