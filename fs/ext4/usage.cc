// SPDX-License-Identifier: MIT
#include "fs/ext4/usage.h"

#include <algorithm>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {
namespace {

bool is_power_of(std::uint32_t number, std::uint32_t base) {
  while (number > base && number % base == 0) number /= base;
  return number == base;
}

bool has_superblock_copy(const Geometry& geometry, const Superblock& superblock, std::uint32_t group) {
  if (group == 0) return true;
  if (geometry.has(compat_sparse_super2))
    return group == superblock.s_backup_bgs[0] || group == superblock.s_backup_bgs[1];
  if (group == 1 || !geometry.has(ro_compat_sparse_super)) return true;
  return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

/// Blocks of the descriptor table in a group, without those reserved for its growth.
std::uint64_t descriptor_blocks(const Volume& volume, const Superblock& superblock, std::uint32_t group) {
  const Geometry& geometry = volume.geometry();
  const std::uint32_t per_block = geometry.block_size / geometry.descriptor_size;
  const bool copy = has_superblock_copy(geometry, superblock, group);
  if (!geometry.has(incompat_meta_bg)) return copy ? volume.handle().descriptor_blocks() : 0;
  const std::uint32_t meta_group = group / per_block;
  if (meta_group < superblock.s_first_meta_bg) return copy ? std::uint32_t{superblock.s_first_meta_bg} : 0;
  const std::uint32_t place = group % per_block;
  return place == 0 || place == 1 || place == per_block - 1 ? 1 : 0;
}

std::uint64_t journal_blocks(const Volume& volume, const Superblock& superblock) {
  const Geometry& geometry = volume.geometry();
  if (!geometry.has(compat_has_journal) || superblock.s_journal_inum == 0) return 0;
  const Volume::Lease workspace(volume);
  const auto journal = read_inode(*workspace, superblock.s_journal_inum);
  return journal ? journal->attributes.size / geometry.block_size : 0;
}

/// Clusters that hold no data however empty the file system is.
std::uint64_t overhead(const Volume& volume, const Superblock& superblock) {
  const Geometry& geometry = volume.geometry();
  const std::uint64_t recorded = superblock.s_overhead_clusters;
  if (geometry.has(ro_compat_bigalloc) && recorded != 0 && recorded <= geometry.block_count) return recorded;
  const std::uint64_t table =
      (std::uint64_t{geometry.inodes_per_group} * geometry.inode_size + geometry.block_size - 1) /
      geometry.block_size;
  std::uint64_t blocks = geometry.first_data_block + journal_blocks(volume, superblock);
  for (std::uint32_t group = 0; group < geometry.group_count; ++group) {
    const bool copy = has_superblock_copy(geometry, superblock, group);
    blocks += descriptor_blocks(volume, superblock, group) + table + 2;
    if (copy) blocks += 1U + superblock.s_reserved_gdt_blocks;
  }
  return blocks / geometry.cluster_ratio;
}

/// What the kernel keeps back for delayed allocation.
std::uint64_t reserved_clusters(const Geometry& geometry) {
  if (!geometry.has(incompat_extents)) return 0;
  return std::min<std::uint64_t>(geometry.block_count / geometry.cluster_ratio / 50, 4096);
}

std::uint64_t changed(std::uint64_t count, std::int64_t by) {
  if (by >= 0) return count + static_cast<std::uint64_t>(by);
  return count - std::min(count, static_cast<std::uint64_t>(-by));
}

}  // namespace

Result<Usage> compute_usage(const Volume& volume, const Superblock& superblock, const Freed& freed) {
  const Geometry& geometry = volume.geometry();
  std::uint64_t reserved = superblock.s_r_blocks_count_lo;
  if (geometry.has(incompat_64bit)) reserved |= std::uint64_t{superblock.s_r_blocks_count_hi} << 32;
  reserved = std::min(reserved, geometry.block_count) + reserved_clusters(geometry) * geometry.cluster_ratio;
  const std::uint64_t used = overhead(volume, superblock) * geometry.cluster_ratio;
  const auto uuid = std::as_bytes(std::span(superblock.s_uuid));

  Usage usage;
  usage.block_size = geometry.block_size;
  usage.blocks = geometry.block_count - std::min(used, geometry.block_count);
  usage.blocks_free = changed(volume.handle().free_clusters() * geometry.cluster_ratio, freed.blocks);
  usage.blocks_available = usage.blocks_free - std::min(reserved, usage.blocks_free);
  usage.files = geometry.inode_count;
  usage.files_free = changed(volume.handle().free_inodes(), freed.inodes);
  usage.id = from_bytes<le64>(uuid) ^ from_bytes<le64>(uuid.subspan(8));
  return usage;
}

}  // namespace vmfs::ext4
