// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "formats/endian.h"

namespace vmfs::lvm {

/// Bytes of a block of a thin pool's metadata.
constexpr std::size_t thin_block_size = 4096;

constexpr std::uint64_t thin_magic = 27022010;

/// What the CRC-32C of a block's rest, continued from ~0, is xor-ed with (drivers/md/persistent-data).
constexpr std::uint32_t thin_superblock_salt = 160774;
constexpr std::uint32_t btree_salt = 121107;

/// `struct thin_disk_superblock`, block 0.
struct ThinSuperblock {
  le32 csum;
  le32 flags;  ///< bit 0: needs a check
  le64 blocknr;
  std::array<std::byte, 16> uuid;
  le64 magic;
  le32 version;
  le32 time;
  le64 trans_id;
  le64 held_root;
  std::array<std::byte, 128> data_space_map_root;
  std::array<std::byte, 128> metadata_space_map_root;
  le64 data_mapping_root;  ///< of a tree from device to the root of a tree from block to data block and time
  le64 device_details_root;  ///< of a tree from device to 24 bytes, which start with the number of mapped
                             ///< blocks
  le32 data_block_size;      ///< sectors
  le32 metadata_block_size;  ///< sectors
  le64 metadata_nr_blocks;
  le32 compat_flags;
  le32 compat_ro_flags;
  le32 incompat_flags;
};
static_assert(sizeof(ThinSuperblock) == 364);

/// `struct node_header`: of a B-tree's node. `max_entries` keys of 64 bits follow, then as many values.
struct BtreeHeader {
  le32 csum;
  le32 flags;  ///< 1: internal, 2: leaf
  le64 blocknr;
  le32 nr_entries;
  le32 max_entries;
  le32 value_size;  ///< bytes
  le32 padding;
};
static_assert(sizeof(BtreeHeader) == 32);

constexpr std::uint32_t btree_internal = 1;
constexpr std::uint32_t btree_leaf = 2;

}  // namespace vmfs::lvm
