// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/source.h"

namespace vmfs {

/// The most partitions taken from one disk (the kernel numbers up to 255).
constexpr std::size_t max_partitions = 256;

/// One partition of a disk.
struct Partition {
  std::uint32_t number = 0;  ///< as the kernel numbers it (sda`number`); logical ones from 5
  std::uint64_t offset = 0;  ///< bytes from the start of the disk
  std::uint64_t size = 0;    ///< bytes
  std::string type;       ///< GPT: GUID in upper case; MBR: two hexadecimal digits in lower case, as sfdisk
  std::string name;       ///< GPT: the name in UTF-8 (PARTLABEL)
  std::string uuid;       ///< PARTUUID as the kernel's: GPT GUID in lower case; MBR "1234abcd-01"
  bool extended = false;  ///< MBR: a container of logical partitions, holds no file system of its own
};

/// A disk's table of partitions.
struct PartitionTable {
  std::string kind;                   ///< "gpt" or "dos", as blkid's PTTYPE
  std::string id;                     ///< GPT: disk GUID in lower case; MBR: eight hexadecimal digits
  std::uint32_t sector_size = 512;    ///< bytes: 512 or 4096
  std::vector<Partition> partitions;  ///< in order of `number`
};

/// Finds the partition table of a disk, by the kernel's rules: a GPT (UEFI 2.10 section 5.3, either header)
/// where the first sector has a protective record, even beside other records (a hybrid one); else an MBR with
/// its extended and logical partitions; else nothing. A GPT without protective record is not looked at. A
/// boot sector of a file system is not a table, nor is one without any record. A partition that is not inside
/// the disk is left out with a warning; one of an MBR that only ends behind it is cut off there; those that
/// overlap are kept with a warning. Reads at most 17 MiB. Errors: EUCLEAN where a GPT is announced but no
/// copy of it is valid; EIO.
[[nodiscard]] Result<std::optional<PartitionTable>> read_partition_table(const Source& disk,
                                                                         const Warn& warn);

}  // namespace vmfs
