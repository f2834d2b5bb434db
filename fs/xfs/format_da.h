// SPDX-License-Identifier: MIT
// On-disk structures of directories and extended attributes ("XFS Algorithms & Data Structures").
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"
#include "fs/xfs/format.h"

namespace vmfs::xfs {

/// Magic numbers of the blocks of the hash trees, and of the version 5 form of each.
namespace da_magic {
inline constexpr std::uint32_t node = 0xfebe;
inline constexpr std::uint32_t attr_leaf = 0xfbee;
inline constexpr std::uint32_t dir_leaf1 = 0xd2f1;  ///< the only leaf, with the table of free space
inline constexpr std::uint32_t dir_leafn = 0xd2ff;
inline constexpr std::uint32_t node3 = 0x3ebe;
inline constexpr std::uint32_t attr3_leaf = 0x3bee;
inline constexpr std::uint32_t dir3_leaf1 = 0x3df1;
inline constexpr std::uint32_t dir3_leafn = 0x3dff;
}  // namespace da_magic

/// Magic numbers of directory data blocks.
namespace dir_magic {
inline constexpr std::uint32_t block = 0x58443242;   ///< "XD2B": the only block, with its index
inline constexpr std::uint32_t data = 0x58443244;    ///< "XD2D"
inline constexpr std::uint32_t block3 = 0x58444233;  ///< "XDB3"
inline constexpr std::uint32_t data3 = 0x58444433;   ///< "XDD3"
}  // namespace dir_magic

/// What every block of a hash tree starts with (xfs_da_blkinfo).
struct DaBlkinfo {
  be32 forw;  ///< next block of the same level, 0 if none
  be32 back;
  be16 magic;
  be16 pad;
};
static_assert(sizeof(DaBlkinfo) == 12);

/// The same in version 5 (xfs_da3_blkinfo).
struct Da3Blkinfo {
  DaBlkinfo hdr;
  le32 crc;
  be64 blkno;
  be64 lsn;
  Uuid uuid;
  be64 owner;
};
static_assert(sizeof(Da3Blkinfo) == 56);

/// What follows in an inner node (xfs_da_node_hdr). Entries follow, in version 5 after 4 bytes of padding.
struct DaNodeCount {
  be16 count;
  be16 level;  ///< 1 above the leaves
};

/// What follows in a directory leaf (xfs_dir2_leaf_hdr). Entries follow, in version 5 after 4 bytes.
struct DirLeafCount {
  be16 count;
  be16 stale;
};

/// An entry of an inner node (xfs_da_node_entry).
struct DaNodeEntry {
  be32 hashval;  ///< the greatest below it
  be32 before;   ///< block of the fork
};
static_assert(sizeof(DaNodeEntry) == 8);

/// An entry of a directory's index (xfs_dir2_leaf_entry).
struct DirLeafEntry {
  be32 hashval;
  be32 address;  ///< offset of the data entry / 8; 0: stale
};
static_assert(sizeof(DirLeafEntry) == 8);

/// Header of a directory data block, version 4 (xfs_dir2_data_hdr).
struct Dir2DataHdr {
  be32 magic;
  std::array<be32, 3> bestfree;
};
static_assert(sizeof(Dir2DataHdr) == 16);

/// Header of a directory data block, version 5 (xfs_dir3_data_hdr).
struct Dir3DataHdr {
  be32 magic;
  le32 crc;
  be64 blkno;
  be64 lsn;
  Uuid uuid;
  be64 owner;
  std::array<be32, 3> best_free;
  be32 pad;
};
static_assert(sizeof(Dir3DataHdr) == 64);

/// Fixed part of an entry in a data block (xfs_dir2_data_entry). Name, file type (with FTYPE) and, in the
/// last two of its 8-byte aligned bytes, its own offset follow.
struct DirDataEntry {
  be64 inumber;
  std::uint8_t namelen;
};
static_assert(sizeof(DirDataEntry) == 9);

/// Free space in a data block (xfs_dir2_data_unused).
struct DirDataUnused {
  be16 freetag;  ///< 0xffff
  be16 length;
};
static_assert(sizeof(DirDataUnused) == 4);
inline constexpr std::uint32_t dir_free_tag = 0xffff;

/// The last bytes of a directory that is one block (xfs_dir2_block_tail); the index lies before it.
struct DirBlockTail {
  be32 count;
  be32 stale;
};
static_assert(sizeof(DirBlockTail) == 8);

/// Fixed part of a directory inside an inode (xfs_dir2_sf_hdr). The parent's number follows in 4 or 8 bytes.
struct DirSfHdr {
  std::uint8_t count;
  std::uint8_t i8count;  ///< not 0: inode numbers take 8 bytes
};

/// Fixed part of its entries (xfs_dir2_sf_entry). Name, file type (with FTYPE) and inode number follow.
struct DirSfEntry {
  std::uint8_t namelen;
  be16 offset;  ///< that the entry would have in a data block
};
static_assert(sizeof(DirSfEntry) == 3);

/// First byte of the hash index in the address space of a directory (XFS_DIR2_LEAF_OFFSET).
inline constexpr std::uint64_t dir_leaf_offset = 1ULL << 35;

/// Bits of the flags of an attribute.
namespace attr_flag {
inline constexpr std::uint32_t local = 1U << 0;
inline constexpr std::uint32_t root = 1U << 1;
inline constexpr std::uint32_t secure = 1U << 2;
inline constexpr std::uint32_t parent = 1U << 3;
inline constexpr std::uint32_t incomplete = 1U << 7;
}  // namespace attr_flag

/// Attributes inside an inode (xfs_attr_sf_hdr).
struct AttrSfHdr {
  be16 totsize;
  std::uint8_t count;
  std::uint8_t padding;
};
static_assert(sizeof(AttrSfHdr) == 4);

/// One of them (xfs_attr_sf_entry); name and value follow.
struct AttrSfEntry {
  std::uint8_t namelen;
  std::uint8_t valuelen;
  std::uint8_t flags;
};
static_assert(sizeof(AttrSfEntry) == 3);

/// What follows the block info in an attribute leaf (xfs_attr_leaf_hdr). Entries follow, in version 5 after
/// 4 bytes of padding.
struct AttrLeafCount {
  be16 count;
  be16 usedbytes;
  be16 firstused;  ///< 0 means 65536
  std::uint8_t holes;
  std::uint8_t pad1;
  std::array<be32, 3> freemap;
};
static_assert(sizeof(AttrLeafCount) == 20);

/// An entry of an attribute leaf (xfs_attr_leaf_entry).
struct AttrLeafEntry {
  be32 hashval;
  be16 nameidx;  ///< offset in the block
  std::uint8_t flags;
  std::uint8_t pad2;
};
static_assert(sizeof(AttrLeafEntry) == 8);

/// An attribute whose value lies in the leaf (xfs_attr_leaf_name_local); name and value follow.
struct AttrLeafNameLocal {
  be16 valuelen;
  std::uint8_t namelen;
};
static_assert(sizeof(AttrLeafNameLocal) == 3);

/// An attribute whose value lies in blocks of its own (xfs_attr_leaf_name_remote); the name follows.
struct AttrLeafNameRemote {
  be32 valueblk;
  be32 valuelen;
  std::uint8_t namelen;
};
static_assert(sizeof(AttrLeafNameRemote) == 9);

inline constexpr std::uint32_t attr_remote_magic = 0x5841524d;  ///< "XARM"
inline constexpr std::uint32_t attr_value_max = 1U << 16;

/// Header of each block of a remote value, version 5 (xfs_attr3_rmt_hdr).
struct Attr3RmtHdr {
  be32 rm_magic;
  be32 rm_offset;
  be32 rm_bytes;
  le32 rm_crc;
  Uuid rm_uuid;
  be64 rm_owner;
  be64 rm_blkno;
  be64 rm_lsn;
};
static_assert(sizeof(Attr3RmtHdr) == 56);

/// An access control list (xfs_acl): a count, then entries.
struct AclEntry {
  be32 ae_tag;
  be32 ae_id;
  be16 ae_perm;
  be16 ae_pad;
};
static_assert(sizeof(AclEntry) == 12);

}  // namespace vmfs::xfs
