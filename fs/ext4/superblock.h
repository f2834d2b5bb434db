// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/endian.h"
#include "formats/result.h"
#include "formats/source.h"
#include "fs/ext4/crc32c.h"

namespace vmfs::ext4 {

/// Number of a block of the file system.
enum class Block : std::uint64_t {};

/// The superblock, 1024 bytes into the volume (struct ext4_super_block of the kernel's fs/ext4/ext4.h).
struct Superblock {
  le32 s_inodes_count;
  le32 s_blocks_count_lo;
  le32 s_r_blocks_count_lo;
  le32 s_free_blocks_count_lo;
  le32 s_free_inodes_count;
  le32 s_first_data_block;
  le32 s_log_block_size;
  le32 s_log_cluster_size;
  le32 s_blocks_per_group;
  le32 s_clusters_per_group;
  le32 s_inodes_per_group;
  le32 s_mtime;
  le32 s_wtime;
  le16 s_mnt_count;
  le16 s_max_mnt_count;
  le16 s_magic;
  le16 s_state;  ///< `state_valid` and its neighbours
  le16 s_errors;
  le16 s_minor_rev_level;
  le32 s_lastcheck;
  le32 s_checkinterval;
  le32 s_creator_os;
  le32 s_rev_level;  ///< 0: none of the fields below counts
  le16 s_def_resuid;
  le16 s_def_resgid;
  le32 s_first_ino;
  le16 s_inode_size;
  le16 s_block_group_nr;
  le32 s_feature_compat;
  le32 s_feature_incompat;
  le32 s_feature_ro_compat;
  std::array<std::uint8_t, 16> s_uuid;
  std::array<char, 16> s_volume_name;
  std::array<char, 64> s_last_mounted;
  le32 s_algorithm_usage_bitmap;
  std::uint8_t s_prealloc_blocks;
  std::uint8_t s_prealloc_dir_blocks;
  le16 s_reserved_gdt_blocks;
  std::array<std::uint8_t, 16> s_journal_uuid;
  le32 s_journal_inum;
  le32 s_journal_dev;
  le32 s_last_orphan;
  std::array<le32, 4> s_hash_seed;
  std::uint8_t s_def_hash_version;
  std::uint8_t s_jnl_backup_type;
  le16 s_desc_size;
  le32 s_default_mount_opts;
  le32 s_first_meta_bg;
  le32 s_mkfs_time;
  std::array<le32, 17> s_jnl_blocks;
  le32 s_blocks_count_hi;
  le32 s_r_blocks_count_hi;
  le32 s_free_blocks_count_hi;
  le16 s_min_extra_isize;
  le16 s_want_extra_isize;
  le32 s_flags;  ///< `flag_unsigned_hash`
  le16 s_raid_stride;
  le16 s_mmp_update_interval;
  le64 s_mmp_block;
  le32 s_raid_stripe_width;
  std::uint8_t s_log_groups_per_flex;
  std::uint8_t s_checksum_type;
  std::uint8_t s_encryption_level;
  std::uint8_t s_reserved_pad;
  le64 s_kbytes_written;
  std::array<std::uint8_t, 128> s_snapshot_and_errors;
  std::array<std::uint8_t, 64> s_mount_opts;
  le32 s_usr_quota_inum;
  le32 s_grp_quota_inum;
  le32 s_overhead_clusters;
  std::array<le32, 2> s_backup_bgs;
  std::array<std::uint8_t, 4> s_encrypt_algos;
  std::array<std::uint8_t, 16> s_encrypt_pw_salt;
  le32 s_lpf_ino;
  le32 s_prj_quota_inum;
  le32 s_checksum_seed;
  std::array<std::uint8_t, 8> s_times_hi;
  le16 s_encoding;  ///< of the names in casefolded directories
  le16 s_encoding_flags;
  le32 s_orphan_file_inum;
  std::array<le32, 94> s_reserved;
  le32 s_checksum;
};
static_assert(sizeof(Superblock) == 1024);

constexpr std::uint64_t superblock_offset = 1024;
constexpr std::uint16_t superblock_magic = 0xef53;

enum : std::uint16_t { state_valid = 1, state_error = 2 };
constexpr std::uint32_t flag_unsigned_hash = 2;

enum Compat : std::uint32_t {
  compat_has_journal = 0x4,
  compat_dir_index = 0x20,
  compat_sparse_super2 = 0x200,
  compat_orphan_file = 0x1000,
};
enum RoCompat : std::uint32_t {
  ro_compat_sparse_super = 0x1,
  ro_compat_large_file = 0x2,
  ro_compat_btree_dir = 0x4,
  ro_compat_huge_file = 0x8,
  ro_compat_gdt_csum = 0x10,
  ro_compat_bigalloc = 0x200,
  ro_compat_metadata_csum = 0x400,
  ro_compat_orphan_present = 0x10000,
};
enum Incompat : std::uint32_t {
  incompat_filetype = 0x2,
  incompat_recover = 0x4,
  incompat_journal_dev = 0x8,
  incompat_meta_bg = 0x10,
  incompat_extents = 0x40,
  incompat_64bit = 0x80,
  incompat_ea_inode = 0x400,
  incompat_csum_seed = 0x2000,
  incompat_largedir = 0x4000,
  incompat_inline_data = 0x8000,
  incompat_encrypt = 0x10000,
  incompat_casefold = 0x20000,
};

/// A superblock whose geometry was checked: no field of it can lead a computation astray.
struct Geometry {
  std::uint32_t block_size = 0;     ///< bytes, 1024 to 65536
  std::uint32_t cluster_ratio = 1;  ///< blocks in a cluster
  std::uint32_t inode_size = 0;     ///< bytes, a power of two from 128 to block_size
  std::uint32_t inode_count = 0;
  std::uint32_t first_inode = 0;  ///< the first that is not reserved
  std::uint32_t inodes_per_group = 0;
  std::uint32_t blocks_per_group = 0;
  std::uint32_t group_count = 0;
  std::uint32_t descriptor_size = 32;  ///< bytes of a group's descriptor, a power of two up to 1024
  std::uint32_t first_data_block = 0;
  std::uint64_t block_count = 0;
  std::uint32_t compat = 0;
  std::uint32_t incompat = 0;
  std::uint32_t ro_compat = 0;
  std::uint32_t checksum_seed = 0;  ///< of every metadata checksum
  std::uint32_t creator_os = 0;
  std::array<std::uint32_t, 4> hash_seed{};
  std::uint8_t default_hash_version = 0;
  bool unsigned_hash = false;

  [[nodiscard]] bool has(Compat feature) const { return (compat & feature) != 0; }
  [[nodiscard]] bool has(Incompat feature) const { return (incompat & feature) != 0; }
  [[nodiscard]] bool has(RoCompat feature) const { return (ro_compat & feature) != 0; }
  [[nodiscard]] bool checksums() const { return has(ro_compat_metadata_csum); }

  /// Whether the `count` blocks from `first` can hold data: inside the file system, behind its first block.
  [[nodiscard]] bool contains(std::uint64_t first, std::uint64_t count) const {
    return first > first_data_block && first < block_count && count <= block_count - first;
  }
};

/// Reads and checks a superblock. Errors, all of which leave nothing to read: EINVAL (no ext file system, or
/// one larger than its volume), EUCLEAN (impossible geometry), EBADMSG (checksum), EOPNOTSUPP (an
/// incompatible feature that is not known here, by name), EIO.
[[nodiscard]] Result<Superblock> read_superblock(const Source& volume);

/// Whether a superblock with a checksum has the right one. Errors: EBADMSG, EINVAL (of an unknown kind).
[[nodiscard]] Result<void> check_checksum(const Superblock& superblock);

/// The checked geometry of a superblock from read_superblock().
[[nodiscard]] Result<Geometry> check_geometry(const Superblock& superblock, std::uint64_t volume_size);

/// Names of all features that are set, as dumpe2fs prints them.
[[nodiscard]] std::vector<std::string> feature_names(const Superblock& superblock);

/// "ext2", "ext3" or "ext4", by the rules of blkid.
[[nodiscard]] std::string type_name(const Superblock& superblock);

}  // namespace vmfs::ext4
