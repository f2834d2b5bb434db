// SPDX-License-Identifier: MIT
#include "fs/xfs/log/self.h"

#include <algorithm>
#include <cstddef>

#include "fs/xfs/format_da.h"

namespace vmfs::xfs {
namespace {

/// A block of the B+trees of an allocation group (xfs_btree_block, short form), version 5.
struct BtreeSblock {
  be32 bb_magic;
  be16 bb_level;
  be16 bb_numrecs;
  be32 bb_leftsib;
  be32 bb_rightsib;
  be64 bb_blkno;
  be64 bb_lsn;
  Uuid bb_uuid;
  be32 bb_owner;
  le32 bb_crc;
};
static_assert(sizeof(BtreeSblock) == 56);

struct Known {
  std::uint32_t magic;
  SelfFields fields;
};

constexpr SelfFields short_btree{.crc = offsetof(BtreeSblock, bb_crc),
                                 .lsn = offsetof(BtreeSblock, bb_lsn),
                                 .uuid = offsetof(BtreeSblock, bb_uuid)};
constexpr SelfFields long_btree{.crc = offsetof(BtreeLblock, bb_crc),
                                .lsn = offsetof(BtreeLblock, bb_lsn),
                                .uuid = offsetof(BtreeLblock, bb_uuid)};
constexpr SelfFields dir_data{.crc = offsetof(Dir3DataHdr, crc),
                              .lsn = offsetof(Dir3DataHdr, lsn),
                              .uuid = offsetof(Dir3DataHdr, uuid)};
constexpr SelfFields hash_tree{
    .crc = offsetof(Da3Blkinfo, crc), .lsn = offsetof(Da3Blkinfo, lsn), .uuid = offsetof(Da3Blkinfo, uuid)};

// By the first four bytes.
constexpr Known known[] = {
    {sb_magic, {.crc = offsetof(Dsb, sb_crc), .lsn = offsetof(Dsb, sb_lsn), .uuid = offsetof(Dsb, sb_uuid)}},
    {agf_magic, {.crc = 216, .lsn = 208, .uuid = offsetof(Agf, agf_uuid)}},
    {agi_magic, {.crc = 312, .lsn = 320, .uuid = 296}},
    {0x5841464c, {.crc = 32, .lsn = 24, .uuid = 8}},  // AGFL
    {0x41423342, short_btree},                        // free space by block
    {0x41423343, short_btree},                        // free space by length
    {0x49414233, short_btree},                        // inodes
    {0x46494233, short_btree},                        // free inodes
    {0x524d4233, short_btree},                        // reverse map
    {0x52334643, short_btree},                        // reference counts
    {bmap_crc_magic, long_btree},
    {0x4d415052, long_btree},  // reverse map of a realtime group
    {0x52434e54, long_btree},  // its reference counts
    {symlink_magic,
     {.crc = offsetof(DsymlinkHdr, sl_crc),
      .lsn = offsetof(DsymlinkHdr, sl_lsn),
      .uuid = offsetof(DsymlinkHdr, sl_uuid)}},
    {dir_magic::block3, dir_data},
    {dir_magic::data3, dir_data},
    {0x58444633, dir_data},  // free space of a directory
    {attr_remote_magic,
     {.crc = offsetof(Attr3RmtHdr, rm_crc),
      .lsn = offsetof(Attr3RmtHdr, rm_lsn),
      .uuid = offsetof(Attr3RmtHdr, rm_uuid),
      .logged = false}},
};

}  // namespace

std::optional<SelfFields> self_fields(const Geometry& geometry, std::span<const std::byte> head) {
  if (!geometry.v5) return {};
  const std::uint32_t magic = from_bytes<be32>(head);
  if (const auto* found = std::ranges::find(known, magic, &Known::magic); found != std::end(known)) {
    SelfFields fields = found->fields;
    // The user's UUID comes first in the superblock, and may not be the one that structures carry.
    if (magic == sb_magic && geometry.uuid != geometry.meta_uuid) fields.uuid = offsetof(Dsb, sb_meta_uuid);
    return fields;
  }
  const std::uint32_t short_magic = from_bytes<DaBlkinfo>(head).magic;
  for (const std::uint32_t tree :
       {da_magic::node3, da_magic::attr3_leaf, da_magic::dir3_leaf1, da_magic::dir3_leafn}) {
    if (short_magic == tree) return hash_tree;
  }
  return {};
}

}  // namespace vmfs::xfs
