// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/partition/partition_table.h"

namespace vmfs {

/// One of the four records of a master boot record (UEFI 2.10, table 5.1).
struct MbrPartitionRecord {
  std::uint8_t boot_indicator;               ///< 0x80: the one to boot; else 0
  std::array<std::uint8_t, 3> starting_chs;  ///< not used
  std::uint8_t os_type;
  std::array<std::uint8_t, 3> ending_chs;  ///< not used
  le32 starting_lba;                       ///< sectors
  le32 size_in_lba;                        ///< sectors; 0: not in use
};
static_assert(sizeof(MbrPartitionRecord) == 16);

/// The first sector of a disk, and of each link in the chain of logical partitions.
struct MasterBootRecord {
  std::array<std::byte, 440> boot_code;
  le32 unique_mbr_disk_signature;
  le16 unknown;
  std::array<MbrPartitionRecord, 4> partition_record;
  le16 signature;  ///< 0xaa55
};
static_assert(sizeof(MasterBootRecord) == 512);

/// What the first sector of a disk is.
enum class MbrKind : std::uint8_t {
  none,        ///< no table: no signature, a boot sector of a file system, or all records empty
  dos,         ///< a table of its own
  protective,  ///< it guards a GPT: a record of type ee that starts at sector 1
  gpt_marked,  ///< a record of type ee that starts elsewhere: a GPT may be there, a table of its own is not
};

/// Reads sector 0 and says what it is. Errors: EIO.
[[nodiscard]] Result<MbrKind> classify_mbr(const Source& disk);

/// Reads the table of a disk whose classify_mbr() is `dos`, its logical partitions included. Sectors are 512
/// bytes: the table does not say, and disks of 4096-byte sectors carry a GPT. What is not inside the disk is
/// left out, what ends behind it is cut off there (as block/partitions/core.c does). Errors: EIO.
[[nodiscard]] Result<PartitionTable> read_mbr(const Source& disk, const Warn& warn);

}  // namespace vmfs
