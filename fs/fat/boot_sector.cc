// SPDX-License-Identifier: MIT
#include "fs/fat/boot_sector.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "fs/fat/format.h"

namespace vmfs::fat {
namespace {

// The most clusters of each width: beyond are marks of the table.
constexpr std::uint64_t max_fat12 = 0xff4;
constexpr std::uint64_t max_fat16 = 0xfff4;
constexpr std::uint64_t max_fat32 = 0x0ffffff6;

Result<void> check_fields(const BootSector& boot) {
  const std::uint32_t sector = boot.bytes_per_sec;
  if (!std::has_single_bit(sector) || sector < 512 || sector > 4096)
    return fail(EUCLEAN, "fat: bytes_per_sec {}", sector);
  if (!std::has_single_bit(unsigned{boot.sec_per_clus}))
    return fail(EUCLEAN, "fat: sec_per_clus {}", boot.sec_per_clus);
  if (boot.rsvd_sec_cnt == 0) return fail(EUCLEAN, "fat: rsvd_sec_cnt 0");
  if (boot.num_fats == 0) return fail(EUCLEAN, "fat: num_fats 0");
  if (boot.media < 0xf8 && boot.media != 0xf0) return fail(EUCLEAN, "fat: media {:#04x}", boot.media);
  if (boot.root_ent_cnt % (sector / entry_size) != 0)
    return fail(EUCLEAN, "fat: root_ent_cnt {}", std::uint16_t{boot.root_ent_cnt});
  return {};
}

/// The width of the table and how many clusters there are: by number of clusters, not by what the sector
/// says.
Result<void> count_clusters(Geometry& g, std::uint64_t data_sectors, unsigned sectors_per_cluster,
                            std::uint64_t table_size) {
  const std::uint64_t clusters = data_sectors / sectors_per_cluster;
  if (g.bits == 0) g.bits = clusters > max_fat12 ? 16 : 12;
  const std::uint64_t most = g.bits == 12 ? max_fat12 : g.bits == 16 ? max_fat16 : max_fat32;
  const std::uint64_t entries = table_size * 8 / g.bits;
  if (entries <= first_cluster) return fail(EUCLEAN, "fat: a table of {} bytes", table_size);
  const std::uint64_t usable = std::min(clusters, entries - first_cluster);
  if (usable > most) return fail(EUCLEAN, "fat: {} clusters in a table of {} bits", usable, g.bits);
  g.cluster_end = static_cast<Cluster>(usable + first_cluster);
  return {};
}

}  // namespace

Result<Geometry> read_boot_sector(const Source& volume) {
  const auto boot = TRY(read_struct<BootSector>(volume, 0));
  const auto boot32 = TRY(read_struct<BootSector32>(volume, boot_sector32_offset));
  TRY(check_fields(boot));
  const bool is_fat32 = boot.fat_sz16 == 0;
  const std::uint64_t sector = boot.bytes_per_sec;
  const std::uint64_t table_sectors =
      is_fat32 ? std::uint32_t{boot32.fat_sz32} : std::uint16_t{boot.fat_sz16};
  const std::uint64_t total =
      boot.tot_sec16 != 0 ? std::uint16_t{boot.tot_sec16} : std::uint32_t{boot.tot_sec32};
  const std::uint64_t root_sector = boot.rsvd_sec_cnt + boot.num_fats * table_sectors;
  const std::uint64_t data_sector = root_sector + boot.root_ent_cnt * entry_size / sector;
  if (table_sectors == 0 || data_sector >= total)
    return fail(EUCLEAN, "fat: tables of {} sectors on a volume of {}", table_sectors, total);

  Geometry g;
  g.bits = is_fat32 ? 32 : 0;
  g.cluster_size = static_cast<std::uint32_t>(sector * boot.sec_per_clus);
  g.table_offset = boot.rsvd_sec_cnt * sector;
  g.root_offset = root_sector * sector;
  g.root_entries = boot.root_ent_cnt;
  g.data_offset = data_sector * sector;
  g.serial = is_fat32 ? boot32.vol_id : boot.vol_id;
  g.dirty = ((is_fat32 ? boot32.state : boot.state) & 1U) != 0;
  if (g.root_offset > volume.size())
    return fail(EUCLEAN, "fat: tables that end at {} of {}", g.root_offset, volume.size());
  TRY(count_clusters(g, total - data_sector, boot.sec_per_clus, table_sectors * sector));
  if (!is_fat32) return g;
  g.root_cluster = boot32.root_clus;
  if (!g.is_valid(g.root_cluster)) return fail(EUCLEAN, "fat: root_clus {}", g.root_cluster);
  return g;
}

}  // namespace vmfs::fat
