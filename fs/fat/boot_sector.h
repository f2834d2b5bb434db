// SPDX-License-Identifier: MIT
#pragma once

#include "formats/source.h"

namespace vmfs::fat {

/// A number in the file allocation table; the first that has data is 2.
using Cluster = std::uint32_t;
constexpr Cluster first_cluster = 2;

/// Where things are, all of it checked: clusters below `cluster_end` have an entry in the table, which is
/// inside the volume. The data need not be: a volume can be cut off.
struct Geometry {
  unsigned bits = 0;  ///< of an entry of the table: 12, 16 or 32
  std::uint32_t cluster_size = 0;
  std::uint64_t table_offset = 0;
  std::uint64_t root_offset = 0;  ///< FAT12, FAT16: the root directory
  std::uint32_t root_entries = 0;
  Cluster root_cluster = 0;  ///< FAT32
  std::uint64_t data_offset = 0;
  Cluster cluster_end = 0;
  std::uint32_t serial = 0;
  bool dirty = false;  ///< not unmounted

  [[nodiscard]] std::uint64_t offset_of(Cluster cluster) const {
    return data_offset + std::uint64_t{cluster - first_cluster} * cluster_size;
  }
  [[nodiscard]] bool is_valid(Cluster cluster) const {
    return cluster >= first_cluster && cluster < cluster_end;
  }
};

/// Reads the boot sector by the rules of Linux. Errors: EUCLEAN for what cannot be, EIO.
[[nodiscard]] Result<Geometry> read_boot_sector(const Source& volume);

}  // namespace vmfs::fat
