// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"

namespace vmfs::ext4 {

/// Bytes of an inode that all revisions have.
constexpr std::uint32_t old_inode_size = 128;

/// struct ext4_inode of the kernel's fs/ext4/ext4.h, for Linux as the creator.
struct DiskInode {
  le16 i_mode;
  le16 i_uid;
  le32 i_size_lo;
  le32 i_atime;
  le32 i_ctime;
  le32 i_mtime;
  le32 i_dtime;
  le16 i_gid;
  le16 i_links_count;
  le32 i_blocks_lo;
  le32 i_flags;
  le32 i_version;
  std::array<std::byte, 60> i_block;
  le32 i_generation;
  le32 i_file_acl_lo;
  le32 i_size_high;
  le32 i_obso_faddr;
  le16 i_blocks_high;
  le16 i_file_acl_high;
  le16 i_uid_high;
  le16 i_gid_high;
  le16 i_checksum_lo;
  le16 i_reserved;
  le16 i_extra_isize;  ///< from here on only in inodes of more than 128 bytes, as far as this says
  le16 i_checksum_hi;
  le32 i_ctime_extra;
  le32 i_mtime_extra;
  le32 i_atime_extra;
  le32 i_crtime;
  le32 i_crtime_extra;
  le32 i_version_hi;
  le32 i_projid;
};
static_assert(sizeof(DiskInode) == 160);

}  // namespace vmfs::ext4
