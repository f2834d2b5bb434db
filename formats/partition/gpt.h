// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "formats/partition/partition_table.h"

namespace vmfs {

/// A GUID as it lies on disk: the first three groups little-endian (UEFI 2.10, appendix A).
struct Guid {
  le32 time_low;
  le16 time_mid;
  le16 time_high_and_version;
  std::array<std::uint8_t, 8> rest;

  [[nodiscard]] bool is_zero() const;
  /// In lower case, with hyphens.
  [[nodiscard]] std::string text() const;
};
static_assert(sizeof(Guid) == 16);

/// UEFI 2.10, table 5.5.
struct GptHeader {
  std::array<char, 8> signature;  ///< "EFI PART"
  le32 revision;
  le32 header_size;   ///< bytes, what header_crc32 covers
  le32 header_crc32;  ///< computed with this field zero
  le32 reserved;
  le64 my_lba;
  le64 alternate_lba;
  le64 first_usable_lba;
  le64 last_usable_lba;
  Guid disk_guid;
  le64 partition_entry_lba;
  le32 number_of_partition_entries;
  le32 size_of_partition_entry;  ///< bytes
  le32 partition_entry_array_crc32;
};
static_assert(sizeof(GptHeader) == 92);

/// UEFI 2.10, table 5.6. An entry may be larger; the rest is reserved.
struct GptEntry {
  Guid partition_type_guid;  ///< zero: not in use
  Guid unique_partition_guid;
  le64 starting_lba;
  le64 ending_lba;  ///< the last one that belongs to it
  le64 attributes;
  std::array<le16, 36> partition_name;  ///< UTF-16, ends at the first zero
};
static_assert(sizeof(GptEntry) == 128);

/// Reads the GPT of a disk: the primary one of 512-byte, then of 4096-byte sectors, then the backups in the
/// last sector, with a warning. Errors: EUCLEAN where no copy is valid, saying why for each; EIO.
[[nodiscard]] Result<PartitionTable> read_gpt(const Source& disk, const Warn& warn);

}  // namespace vmfs
