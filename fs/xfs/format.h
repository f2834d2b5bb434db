// SPDX-License-Identifier: MIT
// On-disk structures of XFS: superblock, inode and block map ("XFS Algorithms & Data Structures").
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"

namespace vmfs::xfs {

using Uuid = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t sb_magic = 0x58465342;  ///< "XFSB"

/// Bits of sb_versionnum.
namespace version {
inline constexpr std::uint32_t number = 0x000f;
inline constexpr std::uint32_t quota = 0x0040;
inline constexpr std::uint32_t shared = 0x0200;
inline constexpr std::uint32_t logv2 = 0x0400;  ///< log records of up to 256 KiB
inline constexpr std::uint32_t sector = 0x0800;
inline constexpr std::uint32_t extflg = 0x1000;
inline constexpr std::uint32_t dirv2 = 0x2000;
inline constexpr std::uint32_t borg = 0x4000;  ///< names are compared without regard to ASCII case
inline constexpr std::uint32_t morebits = 0x8000;
}  // namespace version

/// Bits of sb_features2.
namespace version2 {
inline constexpr std::uint32_t lazysbcount = 0x002;
inline constexpr std::uint32_t attr2 = 0x008;
inline constexpr std::uint32_t projid32 = 0x080;
inline constexpr std::uint32_t crc = 0x100;
inline constexpr std::uint32_t ftype = 0x200;
}  // namespace version2

/// Bits of sb_features_ro_compat.
namespace ro_compat {
inline constexpr std::uint32_t finobt = 1U << 0;
inline constexpr std::uint32_t rmapbt = 1U << 1;
inline constexpr std::uint32_t reflink = 1U << 2;
inline constexpr std::uint32_t inobtcnt = 1U << 3;
}  // namespace ro_compat

/// Bits of sb_features_incompat.
namespace incompat {
inline constexpr std::uint32_t ftype = 1U << 0;
inline constexpr std::uint32_t spinodes = 1U << 1;
inline constexpr std::uint32_t meta_uuid = 1U << 2;
inline constexpr std::uint32_t bigtime = 1U << 3;
inline constexpr std::uint32_t needsrepair = 1U << 4;
inline constexpr std::uint32_t nrext64 = 1U << 5;
inline constexpr std::uint32_t exchrange = 1U << 6;
inline constexpr std::uint32_t parent = 1U << 7;
inline constexpr std::uint32_t metadir = 1U << 8;
inline constexpr std::uint32_t zoned = 1U << 9;
inline constexpr std::uint32_t zone_gaps = 1U << 10;
inline constexpr std::uint32_t known = (1U << 11) - 1;
}  // namespace incompat

/// Bits of sb_features_log_incompat: what a log that has to be replayed may hold.
namespace log_incompat {
inline constexpr std::uint32_t known = 1U << 0;  ///< attributes
}  // namespace log_incompat

/// The superblock (xfs_dsb), at the start of every allocation group. Version 4 ends before
/// sb_features_compat.
struct Dsb {
  be32 sb_magicnum;
  be32 sb_blocksize;  ///< bytes
  be64 sb_dblocks;    ///< blocks of the data section
  be64 sb_rblocks;    ///< blocks of the realtime section
  be64 sb_rextents;
  Uuid sb_uuid;      ///< what blkid shows
  be64 sb_logstart;  ///< first block of an internal log; 0: the log is on another device
  be64 sb_rootino;
  be64 sb_rbmino;
  be64 sb_rsumino;
  be32 sb_rextsize;
  be32 sb_agblocks;  ///< blocks of each allocation group but the last
  be32 sb_agcount;
  be32 sb_rbmblocks;
  be32 sb_logblocks;
  be16 sb_versionnum;
  be16 sb_sectsize;  ///< bytes
  be16 sb_inodesize;
  be16 sb_inopblock;
  std::array<char, 12> sb_fname;  ///< label
  std::uint8_t sb_blocklog;       ///< log2 of sb_blocksize
  std::uint8_t sb_sectlog;
  std::uint8_t sb_inodelog;
  std::uint8_t sb_inopblog;
  std::uint8_t sb_agblklog;  ///< log2 of sb_agblocks, rounded up
  std::uint8_t sb_rextslog;
  std::uint8_t sb_inprogress;  ///< mkfs did not finish
  std::uint8_t sb_imax_pct;    ///< percent of the space that inodes may take
  be64 sb_icount;              ///< allocated inodes
  be64 sb_ifree;               ///< of them free
  be64 sb_fdblocks;            ///< free blocks
  be64 sb_frextents;
  be64 sb_uquotino;
  be64 sb_gquotino;
  be16 sb_qflags;
  std::uint8_t sb_flags;
  std::uint8_t sb_shared_vn;
  be32 sb_inoalignmt;
  be32 sb_unit;
  be32 sb_width;
  std::uint8_t sb_dirblklog;  ///< log2 of the blocks of a directory block
  std::uint8_t sb_logsectlog;
  be16 sb_logsectsize;
  be32 sb_logsunit;
  be32 sb_features2;
  be32 sb_bad_features2;
  be32 sb_features_compat;
  be32 sb_features_ro_compat;
  be32 sb_features_incompat;
  be32 sb_features_log_incompat;
  le32 sb_crc;
  be32 sb_spino_align;
  be64 sb_pquotino;
  be64 sb_lsn;
  Uuid sb_meta_uuid;   ///< with META_UUID: the one that all other structures carry
  be64 sb_metadirino;  ///< with METADIR: root of the tree of internal files
  be32 sb_rgcount;
  be32 sb_rgextents;
  std::uint8_t sb_rgblklog;
  std::array<std::uint8_t, 7> sb_pad;
  be64 sb_rtstart;
  be64 sb_rtreserved;
};
static_assert(sizeof(Dsb) == 304);

/// The header of the free space of an allocation group (xfs_agf), as far as free space is counted.
struct Agf {
  be32 agf_magicnum;  ///< "XAGF"
  be32 agf_versionnum;
  be32 agf_seqno;
  be32 agf_length;
  std::array<be32, 3> agf_roots;
  std::array<be32, 3> agf_levels;
  be32 agf_flfirst;
  be32 agf_fllast;
  be32 agf_flcount;   ///< blocks in the free list
  be32 agf_freeblks;  ///< free blocks
  be32 agf_longest;
  be32 agf_btreeblks;  ///< blocks of the trees besides their roots
  Uuid agf_uuid;       ///< from here on version 5
  be32 agf_rmap_blocks;
};
static_assert(sizeof(Agf) == 84);
inline constexpr std::uint32_t agf_magic = 0x58414746;

/// The header of the inodes of an allocation group (xfs_agi), as far as inodes are counted.
struct Agi {
  be32 agi_magicnum;  ///< "XAGI"
  be32 agi_versionnum;
  be32 agi_seqno;
  be32 agi_length;
  be32 agi_count;  ///< allocated inodes
  be32 agi_root;
  be32 agi_level;
  be32 agi_freecount;  ///< of them free
};
static_assert(sizeof(Agi) == 32);
inline constexpr std::uint32_t agi_magic = 0x58414749;

inline constexpr std::uint32_t dinode_magic = 0x494e;  ///< "IN"

/// Values of di_format and di_aformat.
enum class ForkFormat : std::uint8_t { dev, local, extents, btree };

/// Bits of di_flags.
inline constexpr std::uint32_t diflag_realtime = 1U << 0;

/// Bits of di_flags2.
namespace diflag2 {
inline constexpr std::uint64_t bigtime = 1U << 3;
inline constexpr std::uint64_t nrext64 = 1U << 4;
inline constexpr std::uint64_t metadata = 1U << 5;  ///< with METADIR: one of the file system's own files
}  // namespace diflag2

/// An inode (xfs_dinode). Versions 1 and 2 end before di_crc; data and attribute fork follow.
struct Dinode {
  be16 di_magic;
  be16 di_mode;
  std::uint8_t di_version;
  std::uint8_t di_format;
  be16 di_onlink;  ///< links, version 1
  be32 di_uid;
  be32 di_gid;
  be32 di_nlink;
  be16 di_projid_lo;
  be16 di_projid_hi;
  be64 di_big_nextents;  ///< with NREXT64: extents of the data fork
  be64 di_atime;         ///< seconds and nanoseconds, or with BIGTIME nanoseconds since 1901
  be64 di_mtime;
  be64 di_ctime;
  be64 di_size;
  be64 di_nblocks;
  be32 di_extsize;
  be32 di_nextents;   ///< with NREXT64: extents of the attribute fork
  be16 di_anextents;  ///< with NREXT64: 0
  std::uint8_t di_forkoff;
  std::uint8_t di_aformat;
  be32 di_dmevmask;
  be16 di_dmstate;
  be16 di_flags;
  be32 di_gen;
  be32 di_next_unlinked;
  le32 di_crc;
  be64 di_changecount;
  be64 di_lsn;
  be64 di_flags2;
  be32 di_cowextsize;
  std::array<std::uint8_t, 12> di_pad2;
  be64 di_crtime;
  be64 di_ino;
  Uuid di_uuid;
};
static_assert(sizeof(Dinode) == 176);
inline constexpr std::uint32_t dinode_v2_size = 100;

/// One extent of a fork (xfs_bmbt_rec): flag 1 bit, file block 54, start block 52, length 21.
struct BmbtRec {
  be64 l0;
  be64 l1;
};
static_assert(sizeof(BmbtRec) == 16);

/// The root of a B+tree fork, inside the inode (xfs_bmdr_block). Keys and pointers follow.
struct BmdrBlock {
  be16 bb_level;  ///< 0 is a leaf
  be16 bb_numrecs;
};
static_assert(sizeof(BmdrBlock) == 4);

inline constexpr std::uint32_t bmap_magic = 0x424d4150;      ///< "BMAP"
inline constexpr std::uint32_t bmap_crc_magic = 0x424d4133;  ///< "BMA3"

/// A block of a B+tree fork (xfs_btree_block, long form). Version 4 ends before bb_blkno.
struct BtreeLblock {
  be32 bb_magic;
  be16 bb_level;
  be16 bb_numrecs;
  be64 bb_leftsib;
  be64 bb_rightsib;
  be64 bb_blkno;
  be64 bb_lsn;
  Uuid bb_uuid;
  be64 bb_owner;
  le32 bb_crc;
  be32 bb_pad;
};
static_assert(sizeof(BtreeLblock) == 72);
inline constexpr std::uint32_t btree_lblock_v4_size = 24;

inline constexpr std::uint32_t symlink_magic = 0x58534c4d;  ///< "XSLM"
inline constexpr std::uint32_t symlink_max = 1024;

/// The header of each extent of a symbolic link's target, version 5 (xfs_dsymlink_hdr).
struct DsymlinkHdr {
  be32 sl_magic;
  be32 sl_offset;
  be32 sl_bytes;
  le32 sl_crc;
  Uuid sl_uuid;
  be64 sl_owner;
  be64 sl_blkno;
  be64 sl_lsn;
};
static_assert(sizeof(DsymlinkHdr) == 56);

}  // namespace vmfs::xfs
