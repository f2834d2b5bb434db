// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/source.h"
#include "fs/registry.h"
#include "fs/xfs/format.h"

namespace vmfs::xfs {

/// A block of the data section as block maps name it: number of the allocation group and block in it.
enum class FsBlock : std::uint64_t {};

/// The superblock's checked values; what follows from them lies in the volume and does not overflow.
struct Geometry {
  std::uint32_t block_size = 0;  ///< bytes, a power of 2 from 512 to 65536
  std::uint32_t block_log = 0;
  std::uint32_t sector_size = 0;
  std::uint64_t blocks = 0;    ///< of the data section
  std::uint32_t ag_count = 0;  ///< allocation groups, at least 1
  std::uint32_t ag_blocks = 0;
  std::uint32_t ag_block_log = 0;
  std::uint32_t inode_size = 0;  ///< bytes, a power of 2 from 256 to 2048
  std::uint32_t inode_log = 0;
  std::uint32_t inodes_per_block_log = 0;
  std::uint32_t dir_block_log = 0;    ///< log2 of the bytes of a directory block, at most 16
  std::uint32_t realtime_extent = 0;  ///< blocks
  std::uint64_t log_start = 0;        ///< FsBlock of the log; 0: on another device
  std::uint32_t log_blocks = 0;
  std::uint32_t log_unit = 0;           ///< bytes that log records are padded to
  std::uint32_t inode_align = 0;        ///< blocks
  std::uint32_t log_incompat = 0;       ///< features of the log's contents
  std::uint64_t root = 0;               ///< inode number
  std::vector<std::uint64_t> internal;  ///< inode numbers that no directory may name
  bool v5 = false;                      ///< checksums, owners and block numbers in every structure
  bool ftype = false;                   ///< directory entries know the type of a file
  bool ascii_ci = false;                ///< names are compared without regard to ASCII case
  bool lazy_counters = false;           ///< free space and inodes are counted in the superblock on unmount
  bool log_v2 = false;                  ///< log records may be longer than 32 KiB
  bool nrext64 = false;
  bool metadir = false;
  bool needs_repair = false;
  Uuid uuid{};       ///< the user's
  Uuid meta_uuid{};  ///< that structures carry
  std::string label;
  std::vector<std::string> features;  ///< by the names xfs_info prints
  std::uint64_t inodes = 0;           ///< allocated
  std::uint64_t inodes_free = 0;      ///< of them
  std::uint64_t blocks_free = 0;
  std::uint64_t inodes_max = 0;  ///< 0: no limit

  [[nodiscard]] std::uint32_t dir_block_size() const { return 1U << dir_block_log; }
  /// Bytes of an inode before its forks.
  [[nodiscard]] std::uint32_t inode_core() const { return v5 ? sizeof(Dinode) : dinode_v2_size; }
  /// Blocks in allocation group `group` (< ag_count).
  [[nodiscard]] std::uint64_t blocks_of(std::uint64_t group) const {
    return group + 1 < ag_count ? ag_blocks : blocks - group * ag_blocks;
  }
  /// Where `count` blocks from `start` lie, in bytes; nothing unless they are in one allocation group behind
  /// its headers.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(FsBlock start, std::uint64_t count) const;
  /// Whether an inode of this number can exist.
  [[nodiscard]] bool valid_inode(std::uint64_t number) const;
  /// Whether a directory may name it.
  [[nodiscard]] bool valid_entry(std::uint64_t number) const;
};

/// Reads and checks the superblock at the start of `volume`.
/// Errors: EUCLEAN (damaged), EOPNOTSUPP (an unknown incompatible feature, by number), EOVERFLOW (inode
/// numbers of more than 56 bits), EIO (larger than the volume).
[[nodiscard]] Result<Geometry> read_superblock(const Source& volume, bool check_crc, const Warn& warn);

/// As read_superblock(), from the volume's first sector and without a look at the checksum.
[[nodiscard]] Result<Geometry> parse_superblock(std::span<const std::byte> sector, std::uint64_t volume_size);

}  // namespace vmfs::xfs
