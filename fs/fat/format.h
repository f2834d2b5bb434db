// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"

// The structures of Microsoft's "FAT: General Overview of On-Disk Format", version 1.03, by its names.
namespace vmfs::fat {

/// The boot sector up to the end of what FAT12 and FAT16 have.
struct BootSector {
  std::array<std::uint8_t, 3> jmp_boot;
  std::array<char, 8> oem_name;
  le16 bytes_per_sec;
  std::uint8_t sec_per_clus;
  le16 rsvd_sec_cnt;
  std::uint8_t num_fats;
  le16 root_ent_cnt;  ///< FAT32: 0
  le16 tot_sec16;     ///< 0: tot_sec32 counts
  std::uint8_t media;
  le16 fat_sz16;  ///< sectors of a FAT; FAT32: 0
  le16 sec_per_trk;
  le16 num_heads;
  le32 hidd_sec;
  le32 tot_sec32;
  std::uint8_t drv_num;
  std::uint8_t state;  ///< bit 0: not unmounted
  std::uint8_t boot_sig;
  le32 vol_id;
  std::array<char, 11> vol_lab;
  std::array<char, 8> fil_sys_type;
};
static_assert(sizeof(BootSector) == 62);

/// What FAT32 has from byte 36 on.
struct BootSector32 {
  le32 fat_sz32;
  le16 ext_flags;
  le16 fs_ver;
  le32 root_clus;
  le16 fs_info;
  le16 bk_boot_sec;
  std::array<std::uint8_t, 12> reserved;
  std::uint8_t drv_num;
  std::uint8_t state;
  std::uint8_t boot_sig;
  le32 vol_id;
  std::array<char, 11> vol_lab;
  std::array<char, 8> fil_sys_type;
};
static_assert(sizeof(BootSector32) == 54);
constexpr std::uint64_t boot_sector32_offset = 36;

/// A directory entry with a name of 8 + 3 characters.
struct DirEntry {
  std::array<std::uint8_t, 11> name;
  std::uint8_t attr;
  std::uint8_t nt_res;  ///< which part of the name is shown in lower case
  std::uint8_t crt_time_tenth;
  le16 crt_time;
  le16 crt_date;
  le16 lst_acc_date;
  le16 fst_clus_hi;
  le16 wrt_time;
  le16 wrt_date;
  le16 fst_clus_lo;
  le32 file_size;
};
static_assert(sizeof(DirEntry) == 32);

/// A directory entry with 13 characters of a long name; they stand before that of the file, the last one
/// first.
struct LongDirEntry {
  std::uint8_t ord;
  std::array<le16, 5> name1;
  std::uint8_t attr;
  std::uint8_t type;
  std::uint8_t chksum;
  std::array<le16, 6> name2;
  le16 fst_clus_lo;
  std::array<le16, 2> name3;
};
static_assert(sizeof(LongDirEntry) == 32);

constexpr std::uint64_t entry_size = 32;

constexpr std::uint8_t attr_read_only = 0x01;
constexpr std::uint8_t attr_volume_id = 0x08;
constexpr std::uint8_t attr_directory = 0x10;
constexpr std::uint8_t attr_long_name = 0x0f;

constexpr std::uint8_t lower_base = 0x08;  ///< of DirEntry::nt_res
constexpr std::uint8_t lower_extension = 0x10;

constexpr std::uint8_t name_free = 0xe5;        ///< first byte of an entry that was deleted
constexpr std::uint8_t name_kanji = 0x05;       ///< stands for a first byte 0xe5
constexpr std::uint8_t last_long_entry = 0x40;  ///< of LongDirEntry::ord
constexpr std::size_t long_entry_characters = 13;
constexpr std::size_t max_long_entries = 20;

}  // namespace vmfs::fat
