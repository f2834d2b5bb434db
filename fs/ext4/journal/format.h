// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"

// The journal's structures on disk: include/linux/jbd2.h of the kernel.
namespace vmfs::ext4 {

constexpr std::uint32_t journal_magic = 0xc03b3998;

enum JournalBlockType : std::uint32_t {
  journal_descriptor = 1,
  journal_commit = 2,
  journal_superblock_v1 = 3,
  journal_superblock_v2 = 4,
  journal_revoke = 5,
};

/// At the start of each block of the journal that is no copy of a block of the file system.
struct JournalHeader {
  be32 h_magic;
  be32 h_blocktype;
  be32 h_sequence;
};
static_assert(sizeof(JournalHeader) == 12);

/// The first block of the journal.
struct JournalSuperblock {
  JournalHeader s_header;
  be32 s_blocksize;
  be32 s_maxlen;    ///< blocks of the journal
  be32 s_first;     ///< first block of the log
  be32 s_sequence;  ///< of the first transaction expected in the log
  be32 s_start;     ///< block where that one begins, 0: the log is empty
  be32 s_errno;
  be32 s_feature_compat;  ///< from here on in version 2 only
  be32 s_feature_incompat;
  be32 s_feature_ro_compat;
  std::array<std::byte, 16> s_uuid;
  be32 s_nr_users;
  be32 s_dynsuper;
  be32 s_max_transaction;
  be32 s_max_trans_data;
  std::uint8_t s_checksum_type;
  std::array<std::uint8_t, 3> s_padding2;
  be32 s_num_fc_blks;
  be32 s_head;
  std::array<be32, 40> s_padding;
  be32 s_checksum;
  std::array<std::byte, 768> s_users;
};
static_assert(sizeof(JournalSuperblock) == 1024);

enum JournalCompat : std::uint32_t { journal_checksum_v1 = 1 };
enum JournalIncompat : std::uint32_t {
  journal_has_revoke = 0x1,
  journal_64bit = 0x2,
  journal_async_commit = 0x4,
  journal_csum_v2 = 0x8,
  journal_csum_v3 = 0x10,
  journal_fast_commit = 0x20,
  journal_all_incompat = 0x3f,
};

/// What a descriptor block says of one block behind it. Shorter without csum_v3: see tag_size().
struct JournalTag {
  be32 t_blocknr;
  be16 t_checksum;  ///< csum_v2
  be16 t_flags;
  be32 t_blocknr_high;  ///< 64bit
  be32 t_checksum_v3;
};
static_assert(sizeof(JournalTag) == 16);

enum JournalTagFlag : std::uint16_t {
  tag_escaped = 1,    ///< the block began with the journal's magic number, zeros are in its place
  tag_same_uuid = 2,  ///< no uuid of 16 bytes behind the tag
  tag_last = 8,
};

/// Bytes behind the tags or records of a block where blocks carry checksums.
constexpr std::size_t journal_tail_size = 4;

struct CommitBlock {
  JournalHeader h_header;
  std::uint8_t h_chksum_type;
  std::uint8_t h_chksum_size;
  std::array<std::uint8_t, 2> h_padding;
  std::array<be32, 8> h_chksum;
  be64 h_commit_sec;
  be32 h_commit_nsec;
};
static_assert(sizeof(CommitBlock) == 60);

enum : std::uint8_t { checksum_crc32 = 1, checksum_crc32c = 4 };

/// At the start of a block of revoke records, each of 4 bytes, or of 8 with the feature 64bit.
struct RevokeHeader {
  JournalHeader r_header;
  be32 r_count;  ///< bytes used in the block, this header included
};
static_assert(sizeof(RevokeHeader) == 16);

}  // namespace vmfs::ext4
