// SPDX-License-Identifier: MIT
#include "formats/partition/boot_sector.h"

#include <array>
#include <bit>
#include <string_view>

namespace vmfs {
namespace {

/// The BIOS parameter block of FAT (Microsoft, "FAT: General Overview of On-Disk Format"), which NTFS keeps.
struct FatBootSector {
  std::array<std::uint8_t, 3> jmp_boot;
  std::array<char, 8> oem_name;
  le16 bytes_per_sec;
  std::uint8_t sec_per_clus;
  le16 rsvd_sec_cnt;
  std::uint8_t num_fats;
  le16 root_ent_cnt;
  le16 tot_sec16;
  std::uint8_t media;
  le16 fat_sz16;
  le16 sec_per_trk;
  le16 num_heads;
  le32 hidd_sec;
  le32 tot_sec32;
  le32 fat_sz32;  ///< FAT32 only; the other ones have their magic and label here
  std::array<std::byte, 14> rest16;
  std::array<char, 8> fil_sys_type16;
  std::array<std::byte, 20> rest32;
  std::array<char, 8> fil_sys_type32;
  std::array<std::byte, 420> boot_code;
  le16 signature;
};
static_assert(sizeof(FatBootSector) == 512);

/// NTFS, as the layout is known from fs/ntfs3/ntfs.h.
struct NtfsBootSector {
  std::array<std::uint8_t, 3> jump_code;
  std::array<char, 8> system_id;
  le16 bytes_per_sector;
  std::uint8_t sectors_per_clusters;
  std::array<std::uint8_t, 7> unused1;  ///< reserved sectors, FATs, root entries, small sectors: all zero
  std::uint8_t media_type;
  le16 unused2;  ///< sectors per FAT
  le16 sct_per_track;
  le16 heads;
  le32 hidden_sectors;
  le32 unused3;  ///< large sectors
  le32 bios_drive_num;
  le64 sectors_per_volume;
  le64 mft_clst;
  le64 mft2_clst;
  std::int8_t record_size;  ///< clusters, or minus the binary logarithm of bytes
};
static_assert(sizeof(NtfsBootSector) == 65);

/// exFAT (Microsoft, "exFAT file system specification", table 4).
struct ExfatBootSector {
  std::array<std::uint8_t, 3> jump_boot;
  std::array<char, 8> file_system_name;
  std::array<std::uint8_t, 53> must_be_zero;
  le64 partition_offset;
  le64 volume_length;
  le32 fat_offset;
  le32 fat_length;
  le32 cluster_heap_offset;
  le32 cluster_count;
  le32 first_cluster_of_root_directory;
  le32 volume_serial_number;
  le16 file_system_revision;
  le16 volume_flags;
  std::uint8_t bytes_per_sector_shift;
  std::uint8_t sectors_per_cluster_shift;
  std::uint8_t number_of_fats;
};
static_assert(sizeof(ExfatBootSector) == 111);

constexpr std::uint16_t boot_signature = 0xaa55;

template <std::size_t Size>
std::string_view text(const std::array<char, Size>& bytes) {
  return {bytes.data(), Size};
}

bool has_fat_magic(const FatBootSector& sector) {
  const std::string_view type16 = text(sector.fil_sys_type16);
  const std::string_view type32 = text(sector.fil_sys_type32);
  return type32.starts_with("MSWIN") || type32 == "FAT32   " || type16.starts_with("MSDOS") ||
         type16 == "FAT16   " || type16 == "FAT12   " || type16 == "FAT     ";
}

/// The most clusters a FAT of this kind can number.
std::uint64_t max_clusters(const FatBootSector& sector, std::uint64_t clusters) {
  if (sector.fat_sz16 == 0 && sector.fat_sz32 != 0) return 0x0ffffff6;
  return clusters > 0xff4 ? 0xfff4 : 0xff4;
}

bool is_fat(const FatBootSector& sector) {
  if (!has_fat_magic(sector)) {
    // Floppies of old have no magic; JFS and HPFS of OS/2 begin with a block that looks like theirs.
    if (sector.signature != boot_signature) return false;
    const std::string_view type = text(sector.fil_sys_type16);
    if (type == "JFS     " || type == "HPFS    ") return false;
  }
  const std::uint32_t sector_size = sector.bytes_per_sec;
  if (sector.num_fats == 0 || sector.rsvd_sec_cnt == 0 || !std::has_single_bit(sector.sec_per_clus) ||
      (sector.media < 0xf8 && sector.media != 0xf0) || !std::has_single_bit(sector_size) ||
      sector_size < 512 || sector_size > 4096) {
    return false;
  }
  const std::uint64_t total =
      sector.tot_sec16 != 0 ? std::uint32_t{sector.tot_sec16} : std::uint32_t{sector.tot_sec32};
  const std::uint64_t fat =
      sector.fat_sz16 != 0 ? std::uint32_t{sector.fat_sz16} : std::uint32_t{sector.fat_sz32};
  const std::uint64_t directory = (std::uint64_t{sector.root_ent_cnt} * 32 + sector_size - 1) / sector_size;
  const std::uint64_t meta = sector.rsvd_sec_cnt + fat * sector.num_fats + directory;
  if (fat == 0 || total < meta) return false;
  const std::uint64_t clusters = (total - meta) / sector.sec_per_clus;
  return clusters <= max_clusters(sector, clusters);
}

/// Cluster size in sectors: a power of two up to 128, or minus a binary logarithm. 0: no such.
std::uint32_t ntfs_cluster_sectors(std::uint8_t field) {
  if (field <= 128) return std::has_single_bit(field) ? field : 0;
  return field >= 240 && field <= 249 ? 1U << (256 - field) : 0;
}

/// Whether the master file table is where the boot sector says.
Result<bool> has_mft(const Source& volume, std::uint64_t offset, std::uint64_t record_size) {
  constexpr std::uint64_t volume_record = 3;
  for (const std::uint64_t at : {offset, offset + volume_record * record_size}) {
    if (volume.size() < 4 || at > volume.size() - 4) return false;
    const auto magic = TRY((read_struct<std::array<char, 4>>(volume, at)));
    if (text(magic) != "FILE") return false;
  }
  return true;
}

Result<bool> is_ntfs(const Source& volume, const NtfsBootSector& sector) {
  const std::uint32_t sector_size = sector.bytes_per_sector;
  const std::uint32_t cluster_sectors = ntfs_cluster_sectors(sector.sectors_per_clusters);
  if (!std::has_single_bit(sector_size) || sector_size < 256 || sector_size > 4096 || cluster_sectors == 0) {
    return false;
  }
  if (sector.unused1 != std::array<std::uint8_t, 7>{} || sector.unused2 != 0 || sector.unused3 != 0)
    return false;
  const int record =
      sector.record_size;  // NOLINT(bugprone-signed-char-misuse,cert-str34-c): a signed number on disk
  const bool is_shift = record >= -31 && record <= -9;
  const bool is_count = record > 0 && record <= 64 && std::has_single_bit(static_cast<unsigned>(record));
  if (!is_shift && !is_count) return false;
  const std::uint64_t cluster_size = std::uint64_t{sector_size} * cluster_sectors;
  const std::uint64_t record_size =
      is_shift ? std::uint64_t{1} << -record : static_cast<unsigned>(record) * cluster_size;
  const std::uint64_t first = sector.mft_clst;
  if (first > sector.sectors_per_volume / cluster_sectors || first > volume.size() / cluster_size)
    return false;
  return has_mft(volume, first * cluster_size, record_size);
}

bool is_exfat(const ExfatBootSector& sector) {
  const std::uint64_t fats_end = sector.fat_offset + std::uint64_t{sector.fat_length} * sector.number_of_fats;
  return sector.must_be_zero == std::array<std::uint8_t, 53>{} &&
         (sector.number_of_fats == 1 || sector.number_of_fats == 2) && sector.bytes_per_sector_shift >= 9 &&
         sector.bytes_per_sector_shift <= 12 &&
         sector.sectors_per_cluster_shift <= 25 - sector.bytes_per_sector_shift && sector.fat_offset >= 24 &&
         sector.cluster_heap_offset >= fats_end && sector.first_cluster_of_root_directory >= 2 &&
         sector.first_cluster_of_root_directory <= std::uint64_t{sector.cluster_count} + 1;
}

}  // namespace

Result<BootSector> identify_boot_sector(const Source& volume) {
  if (volume.size() < 512) return BootSector::none;
  std::array<std::byte, 512> bytes{};
  TRY(read(volume, 0, bytes));
  const auto fat = from_bytes<FatBootSector>(bytes);
  if (text(fat.oem_name) == "NTFS    ") {
    const bool found = TRY(is_ntfs(volume, from_bytes<NtfsBootSector>(bytes)));
    if (found) return BootSector::ntfs;
  }
  if (text(fat.oem_name) == "EXFAT   " && fat.signature == boot_signature &&
      is_exfat(from_bytes<ExfatBootSector>(bytes))) {
    return BootSector::exfat;
  }
  return is_fat(fat) ? BootSector::vfat : BootSector::none;
}

}  // namespace vmfs
