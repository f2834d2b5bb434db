// SPDX-License-Identifier: MIT
// On-disk structures of the XFS log: the items of a transaction ("XFS Algorithms & Data Structures"). They
// are written in the byte order of the machine; only little-endian logs are read (XlogRecHeader::h_fmt).
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"
#include "fs/xfs/format.h"

namespace vmfs::xfs {

/// What every item starts with.
struct LogItemHead {
  le16 type;
  le16 size;  ///< regions of the item, this one included
};
static_assert(sizeof(LogItemHead) == 4);
inline constexpr std::uint32_t log_item_max_regions = 257;  ///< XLOG_MAX_REGIONS_IN_ITEM

/// Types of items. An intent's type is even, that of its end is the next.
enum class LogItemType : std::uint16_t {
  efi = 0x1236,  ///< extents to free
  efd = 0x1237,
  inode = 0x123b,
  buf = 0x123c,
  dquot = 0x123d,
  quotaoff = 0x123e,
  icreate = 0x123f,
  rui = 0x1240,  ///< reverse map to update
  rud = 0x1241,
  cui = 0x1242,  ///< reference counts to update
  cud = 0x1243,
  bui = 0x1244,  ///< block map to update
  bud = 0x1245,
  attri = 0x1246,  ///< attribute to set or remove
  attrd = 0x1247,
  xmi = 0x1248,  ///< block maps to exchange
  xmd = 0x1249,
  efi_rt = 0x124a,
  efd_rt = 0x124b,
  rui_rt = 0x124c,
  rud_rt = 0x124d,
  cui_rt = 0x124e,
  cud_rt = 0x124f,
};

/// What the head of a buffer item says (xfs_buf_log_format); blf_map_size words of a bitmap of 128-byte
/// chunks follow.
struct BufLogFormat {
  le16 blf_type;
  le16 blf_size;
  le16 blf_flags;
  le16 blf_len;    ///< units of 512 bytes
  le64 blf_blkno;  ///< units of 512 bytes
  le32 blf_map_size;
};
static_assert(sizeof(BufLogFormat) == 20);
inline constexpr std::uint32_t blf_chunk = 128;

/// Bits of blf_flags.
namespace blf {
inline constexpr std::uint32_t inode_buf = 1U << 0;  ///< of inodes: only di_next_unlinked is meant
inline constexpr std::uint32_t cancel = 1U << 1;     ///< the block was freed: earlier changes do not count
inline constexpr std::uint32_t dquot_bufs = 7U << 2;
}  // namespace blf

/// The head of an inode item (xfs_inode_log_format).
struct InodeLogFormat {
  le16 ilf_type;
  le16 ilf_size;
  le32 ilf_fields;
  le16 ilf_asize;
  le16 ilf_dsize;
  le32 ilf_pad;  ///< not there in the logs of old 32-bit systems
  le64 ilf_ino;
  le32 ilfu_rdev;
  std::array<std::uint8_t, 12> ilfu_pad;
  le64 ilf_blkno;  ///< of the inode's buffer, units of 512 bytes
  le32 ilf_len;    ///< units of 512 bytes
  le32 ilf_boffset;
};
static_assert(sizeof(InodeLogFormat) == 56);
inline constexpr std::uint32_t inode_log_format_32_size = 52;

/// Bits of ilf_fields.
namespace ilog {
inline constexpr std::uint32_t ddata = 0x002;
inline constexpr std::uint32_t dext = 0x004;
inline constexpr std::uint32_t dbroot = 0x008;
inline constexpr std::uint32_t dev = 0x010;
inline constexpr std::uint32_t adata = 0x040;
inline constexpr std::uint32_t aext = 0x080;
inline constexpr std::uint32_t abroot = 0x100;
inline constexpr std::uint32_t downer = 0x200;  ///< the data fork's tree came from another inode
inline constexpr std::uint32_t aowner = 0x400;
inline constexpr std::uint32_t dfork = ddata | dext | dbroot;
inline constexpr std::uint32_t afork = adata | aext | abroot;
}  // namespace ilog

/// An inode as it is logged (xfs_log_dinode): Dinode in the other byte order. Versions 1 and 2 end before
/// di_next_unlinked.
struct LogDinode {
  le16 di_magic;
  le16 di_mode;
  std::uint8_t di_version;
  std::uint8_t di_format;
  le16 di_metatype;
  le32 di_uid;
  le32 di_gid;
  le32 di_nlink;
  le16 di_projid_lo;
  le16 di_projid_hi;
  le64 di_big_nextents;
  le64 di_atime;
  le64 di_mtime;
  le64 di_ctime;
  le64 di_size;
  le64 di_nblocks;
  le32 di_extsize;
  le32 di_nextents;
  le16 di_anextents;
  std::uint8_t di_forkoff;
  std::uint8_t di_aformat;
  le32 di_dmevmask;
  le16 di_dmstate;
  le16 di_flags;
  le32 di_gen;
  le32 di_next_unlinked;
  le32 di_crc;
  le64 di_changecount;
  le64 di_lsn;
  le64 di_flags2;
  le32 di_cowextsize;
  std::array<std::uint8_t, 12> di_pad2;
  le64 di_crtime;
  le64 di_ino;
  Uuid di_uuid;
};
static_assert(sizeof(LogDinode) == sizeof(Dinode));
inline constexpr std::uint32_t log_dinode_v2_size = 96;

/// An inode chunk that was allocated (xfs_icreate_log).
struct IcreateLog {
  le16 icl_type;
  le16 icl_size;
  be32 icl_ag;
  be32 icl_agbno;
  be32 icl_count;   ///< inodes
  be32 icl_isize;   ///< bytes of each
  be32 icl_length;  ///< blocks
  be32 icl_gen;
};
static_assert(sizeof(IcreateLog) == 28);

/// What every intent, and every end of one, starts with.
struct IntentHead {
  le16 type;
  le16 size;
  le32 nextents;
  le64 id;
};
static_assert(sizeof(IntentHead) == 16);

/// What follows in a block map's intent (xfs_map_extent).
struct MapExtent {
  le64 me_owner;
  le64 me_startblock;
  le64 me_startoff;
  le32 me_len;
  le32 me_flags;
};
static_assert(sizeof(MapExtent) == 32);

/// Bits of me_flags; the lowest byte is what to do.
namespace bmap_intent {
inline constexpr std::uint32_t map = 1;
inline constexpr std::uint32_t unmap = 2;
inline constexpr std::uint32_t type_mask = 0xff;
inline constexpr std::uint32_t attr_fork = 1U << 31;
inline constexpr std::uint32_t unwritten = 1U << 30;
inline constexpr std::uint32_t realtime = 1U << 29;
}  // namespace bmap_intent

/// The rest of a mapping exchange's intent (xfs_xmi_log_format).
struct XmiLogFormat {
  le64 xmi_inode1;
  le64 xmi_inode2;
  le32 xmi_igen1;
  le32 xmi_igen2;
  le64 xmi_startoff1;
  le64 xmi_startoff2;
  le64 xmi_blockcount;
  le64 xmi_flags;
  le64 xmi_isize1;
  le64 xmi_isize2;
};
static_assert(sizeof(XmiLogFormat) == 72);

/// Bits of xmi_flags.
namespace exchmaps {
inline constexpr std::uint64_t attr_fork = 1U << 0;
inline constexpr std::uint64_t set_sizes = 1U << 1;
inline constexpr std::uint64_t ino1_written = 1U << 2;  ///< holes and unwritten extents of the first stay
}  // namespace exchmaps

/// The rest of an attribute's intent (xfs_attri_log_format); its name and value are regions of their own.
struct AttriLogFormat {
  le64 alfi_ino;
  le32 alfi_op_flags;
  le32 alfi_name_len;
  le32 alfi_value_len;
  le32 alfi_attr_filter;
};
static_assert(sizeof(AttriLogFormat) == 24);

/// Values of alfi_op_flags; those from 4 on are of parent pointers.
namespace attri_op {
inline constexpr std::uint32_t set = 1;
inline constexpr std::uint32_t remove = 2;
inline constexpr std::uint32_t replace = 3;
inline constexpr std::uint32_t pptr_replace = 6;
}  // namespace attri_op

}  // namespace vmfs::xfs
