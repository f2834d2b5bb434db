// SPDX-License-Identifier: MIT
#include "fs/ext4/superblock.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string_view>

namespace vmfs::ext4 {
namespace {

/// Bytes of group descriptors, all of which lie in memory: in blocks of 4 KiB, with 64 bytes for a group,
/// those of 512 TiB.
constexpr std::uint64_t most_descriptor_bytes = 256U << 20;

struct Feature {
  std::uint32_t mask;
  std::string_view name;  ///< as dumpe2fs prints it
  bool readable = true;   ///< incompatible features only
};

constexpr Feature compat_features[] = {
    {0x1, "dir_prealloc"},    {0x2, "imagic_inodes"}, {0x4, "has_journal"},     {0x8, "ext_attr"},
    {0x10, "resize_inode"},   {0x20, "dir_index"},    {0x40, "lazy_bg"},        {0x100, "snapshot_bitmap"},
    {0x200, "sparse_super2"}, {0x400, "fast_commit"}, {0x800, "stable_inodes"}, {0x1000, "orphan_file"},
};

constexpr Feature ro_compat_features[] = {
    {0x1, "sparse_super"}, {0x2, "large_file"},       {0x8, "huge_file"}, {0x10, "uninit_bg"},
    {0x20, "dir_nlink"},   {0x40, "extra_isize"},     {0x80, "snapshot"}, {0x100, "quota"},
    {0x200, "bigalloc"},   {0x400, "metadata_csum"},  {0x800, "replica"}, {0x1000, "read-only"},
    {0x2000, "project"},   {0x4000, "shared_blocks"}, {0x8000, "verity"}, {0x10000, "orphan_present"},
};

constexpr Feature incompat_features[] = {
    {0x1, "compression", false},
    {0x2, "filetype"},
    {0x4, "needs_recovery"},
    {0x8, "journal_dev", false},
    {0x10, "meta_bg"},
    {0x40, "extent"},
    {0x80, "64bit"},
    {0x100, "mmp"},
    {0x200, "flex_bg"},
    {0x400, "ea_inode"},
    {0x1000, "dirdata", false},
    {0x2000, "metadata_csum_seed"},
    {0x4000, "large_dir"},
    {0x8000, "inline_data"},
    {0x10000, "encrypt"},
    {0x20000, "casefold"},
};

/// Names of the bits of `set`; those without one as dumpe2fs names them: FEATURE_I18.
void append_names(std::vector<std::string>& names, std::uint32_t set, std::span<const Feature> known,
                  char kind) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t mask = 1U << bit;
    if ((set & mask) == 0) continue;
    const auto found = std::ranges::find(known, mask, &Feature::mask);
    names.push_back(found != known.end() ? std::string(found->name) : fmt::format("FEATURE_{}{}", kind, bit));
  }
}

Result<void> check_features(const Superblock& superblock) {
  const std::uint32_t set = superblock.s_feature_incompat;
  if ((set & incompat_journal_dev) != 0)
    return fail(EOPNOTSUPP, "ext4: this is an external journal (feature journal_dev), not a file system");
  std::uint32_t readable = 0;
  for (const Feature& feature : incompat_features) readable |= feature.readable ? feature.mask : 0;
  if ((set & ~readable) == 0) return {};
  std::vector<std::string> names;
  append_names(names, set & ~readable, incompat_features, 'I');
  return fail(EOPNOTSUPP, "ext4: cannot read file systems with feature {}", fmt::join(names, ", "));
}

Result<void> check_inode_size(const Superblock& superblock, Geometry& geometry) {
  geometry.first_inode = 11;
  geometry.inode_size = 128;
  if (superblock.s_rev_level == 0) return {};
  geometry.first_inode = superblock.s_first_ino;
  geometry.inode_size = superblock.s_inode_size;
  if (geometry.first_inode < 11)
    return fail(EINVAL, "ext4: superblock: s_first_ino {} < 11", geometry.first_inode);
  if (geometry.inode_size < 128 || !std::has_single_bit(geometry.inode_size) ||
      geometry.inode_size > geometry.block_size)
    return fail(EINVAL, "ext4: superblock: s_inode_size {} with blocks of {}", geometry.inode_size,
                geometry.block_size);
  return {};
}

Result<void> check_block_size(const Superblock& superblock, Geometry& geometry) {
  const std::uint32_t log = superblock.s_log_block_size;
  if (log > 6) return fail(EINVAL, "ext4: superblock: s_log_block_size {} > 6", log);
  geometry.block_size = 1024U << log;
  const std::uint32_t cluster = superblock.s_log_cluster_size;
  if (!geometry.has(ro_compat_bigalloc)) return {};
  if (cluster < log || cluster > 20)
    return fail(EINVAL, "ext4: superblock: s_log_cluster_size {} with s_log_block_size {}", cluster, log);
  geometry.cluster_ratio = 1U << (cluster - log);
  return {};
}

Result<void> check_descriptor_size(const Superblock& superblock, Geometry& geometry) {
  if (!geometry.has(incompat_64bit)) return {};
  geometry.descriptor_size = superblock.s_desc_size;
  if (geometry.descriptor_size >= 64 && geometry.descriptor_size <= 1024 &&
      std::has_single_bit(geometry.descriptor_size))
    return {};
  return fail(EINVAL, "ext4: superblock: s_desc_size {}", geometry.descriptor_size);
}

Result<void> check_groups(const Superblock& superblock, Geometry& geometry) {
  const std::uint32_t bits = geometry.block_size * 8;
  geometry.blocks_per_group = superblock.s_blocks_per_group;
  geometry.inodes_per_group = superblock.s_inodes_per_group;
  if (geometry.blocks_per_group == 0 || geometry.blocks_per_group / geometry.cluster_ratio > bits)
    return fail(EINVAL, "ext4: superblock: s_blocks_per_group {} with blocks of {}",
                geometry.blocks_per_group, geometry.block_size);
  if (geometry.inodes_per_group < geometry.block_size / geometry.inode_size ||
      geometry.inodes_per_group > bits)
    return fail(EINVAL, "ext4: superblock: s_inodes_per_group {} with blocks of {}",
                geometry.inodes_per_group, geometry.block_size);
  if (geometry.first_data_block >= geometry.block_count)
    return fail(EINVAL, "ext4: superblock: s_first_data_block {} >= block count {}",
                geometry.first_data_block, geometry.block_count);
  if (geometry.first_data_block != (geometry.block_size == 1024 ? 1 : 0) && geometry.cluster_ratio == 1)
    return fail(EINVAL, "ext4: superblock: s_first_data_block {} with blocks of {}",
                geometry.first_data_block, geometry.block_size);
  const std::uint64_t groups =
      (geometry.block_count - geometry.first_data_block - 1) / geometry.blocks_per_group + 1;
  if (groups > UINT32_MAX || groups * geometry.inodes_per_group != geometry.inode_count)
    return fail(EINVAL, "ext4: superblock: s_inodes_count {}, but {} groups of {} inodes",
                geometry.inode_count, groups, geometry.inodes_per_group);
  if (groups > most_descriptor_bytes / geometry.descriptor_size)
    return fail(EFBIG, "ext4: superblock: {} groups of blocks with {} bytes each are not supported", groups,
                geometry.descriptor_size);
  geometry.group_count = static_cast<std::uint32_t>(groups);
  return {};
}

Result<void> check_size(const Superblock& superblock, Geometry& geometry, std::uint64_t volume_size) {
  geometry.block_count = superblock.s_blocks_count_lo;
  if (geometry.has(incompat_64bit)) geometry.block_count |= std::uint64_t{superblock.s_blocks_count_hi} << 32;
  const std::uint64_t room = volume_size / geometry.block_size;
  if (geometry.block_count <= room) return {};
  return fail(EINVAL, "ext4: the file system has {} blocks of {} bytes, but its volume only {} ({} bytes)",
              geometry.block_count, geometry.block_size, room, volume_size);
}

std::uint32_t checksum_seed(const Superblock& superblock) {
  if ((superblock.s_feature_incompat & incompat_csum_seed) != 0) return superblock.s_checksum_seed;
  return crc32c(~0U, std::as_bytes(std::span(superblock.s_uuid)));
}

}  // namespace

Result<void> check_checksum(const Superblock& superblock) {
  if ((superblock.s_feature_ro_compat & ro_compat_metadata_csum) == 0) return {};
  if (superblock.s_checksum_type != 1)
    return fail(EINVAL, "ext4: superblock: checksum type {} is unknown", superblock.s_checksum_type);
  const auto bytes = std::as_bytes(std::span(&superblock, 1)).first(offsetof(Superblock, s_checksum));
  const std::uint32_t computed = crc32c(~0U, bytes);
  if (computed == superblock.s_checksum) return {};
  return fail(EBADMSG, "ext4: superblock: s_checksum {:#010x} should be {:#010x}",
              std::uint32_t{superblock.s_checksum}, computed);
}

Result<Superblock> read_superblock(const Source& volume) {
  if (volume.size() < superblock_offset + sizeof(Superblock))
    return fail(EINVAL, "ext4: a volume of {} bytes has no room for a superblock", volume.size());
  const auto superblock = TRY(read_struct<Superblock>(volume, superblock_offset));
  if (superblock.s_magic != superblock_magic)
    return fail(EINVAL, "ext4: superblock: s_magic {:#06x}", std::uint16_t{superblock.s_magic});
  TRY(check_features(superblock));
  TRY(check_checksum(superblock));
  return superblock;
}

Result<Geometry> check_geometry(const Superblock& superblock, std::uint64_t volume_size) {
  Geometry geometry;
  geometry.compat = superblock.s_feature_compat;
  geometry.incompat = superblock.s_feature_incompat;
  geometry.ro_compat = superblock.s_feature_ro_compat;
  TRY(check_block_size(superblock, geometry));
  TRY(check_inode_size(superblock, geometry));
  TRY(check_size(superblock, geometry, volume_size));
  geometry.inode_count = superblock.s_inodes_count;
  geometry.first_data_block = superblock.s_first_data_block;
  TRY(check_descriptor_size(superblock, geometry));
  TRY(check_groups(superblock, geometry));
  geometry.checksum_seed = checksum_seed(superblock);
  geometry.creator_os = superblock.s_creator_os;
  std::ranges::copy(superblock.s_hash_seed, geometry.hash_seed.begin());
  geometry.default_hash_version = superblock.s_def_hash_version;
  geometry.unsigned_hash = (superblock.s_flags & flag_unsigned_hash) != 0;
  return geometry;
}

std::vector<std::string> feature_names(const Superblock& superblock) {
  std::vector<std::string> names;
  append_names(names, superblock.s_feature_compat, compat_features, 'C');
  append_names(names, superblock.s_feature_incompat, incompat_features, 'I');
  append_names(names, superblock.s_feature_ro_compat, ro_compat_features, 'R');
  return names;
}

std::string type_name(const Superblock& superblock) {
  const std::uint32_t ext3_incompat = incompat_filetype | incompat_recover | incompat_meta_bg;
  const std::uint32_t ext3_ro_compat = ro_compat_sparse_super | ro_compat_large_file | ro_compat_btree_dir;
  if ((superblock.s_feature_incompat & ~ext3_incompat) != 0 ||
      (superblock.s_feature_ro_compat & ~ext3_ro_compat) != 0)
    return "ext4";
  return (superblock.s_feature_compat & compat_has_journal) != 0 ? "ext3" : "ext2";
}

}  // namespace vmfs::ext4
