// SPDX-License-Identifier: MIT
// On-disk structures of the XFS log: records and the operations in them ("XFS Algorithms & Data Structures").
#pragma once

#include <array>
#include <cstdint>

#include "formats/endian.h"
#include "fs/xfs/format.h"

namespace vmfs::xfs {

inline constexpr std::uint32_t log_block_size = 512;  ///< a "basic block", the log's unit
inline constexpr std::uint32_t log_header_magic = 0xfeedbabe;
inline constexpr std::uint32_t log_cycle_span = 32768;  ///< bytes of a record whose cycles one header holds
inline constexpr std::uint32_t log_cycles_per_header = log_cycle_span / log_block_size;
inline constexpr std::uint32_t log_format_linux_le = 1;    ///< h_fmt: items are little-endian
inline constexpr std::uint32_t log_max_record = 1U << 18;  ///< XLOG_MAX_RECORD_BSIZE
inline constexpr std::uint32_t log_max_buffers = 8;        ///< records written at one time (XLOG_MAX_ICLOGS)

/// The header of a log record (xlog_rec_header).
struct XlogRecHeader {
  be32 h_magicno;
  be32 h_cycle;
  be32 h_version;  ///< 1, or 2: long records
  be32 h_len;      ///< bytes behind the headers
  be64 h_lsn;      ///< cycle << 32 | block
  be64 h_tail_lsn;
  le32 h_crc;
  be32 h_prev_block;
  be32 h_num_logops;
  std::array<be32, log_cycles_per_header> h_cycle_data;  ///< first words of the blocks that follow
  be32 h_fmt;
  Uuid h_fs_uuid;
  be32 h_size;  ///< bytes of the in-core log buffer
  be32 h_pad0;  ///< not there where i386 computed the checksum
};
static_assert(sizeof(XlogRecHeader) == 328);

/// One more header for each 32 KiB of a record's buffer but the first (xlog_rec_ext_header).
struct XlogRecExtHeader {
  be32 xh_cycle;
  std::array<be32, log_cycles_per_header> xh_cycle_data;
};
static_assert(sizeof(XlogRecExtHeader) == 260);

/// The header of an operation in a record (xlog_op_header).
struct XlogOpHeader {
  be32 oh_tid;
  be32 oh_len;  ///< bytes that follow
  std::uint8_t oh_clientid;
  std::uint8_t oh_flags;
  be16 oh_res2;
};
static_assert(sizeof(XlogOpHeader) == 12);

/// Values of oh_clientid.
namespace log_client {
inline constexpr std::uint8_t transaction = 0x69;
inline constexpr std::uint8_t log = 0xaa;
}  // namespace log_client

/// Bits of oh_flags.
namespace log_op {
inline constexpr std::uint8_t start = 0x01;     ///< of a transaction
inline constexpr std::uint8_t commit = 0x02;    ///< of a transaction
inline constexpr std::uint8_t cont = 0x04;      ///< the region goes on in the next record
inline constexpr std::uint8_t was_cont = 0x08;  ///< it began in an earlier one
inline constexpr std::uint8_t end = 0x10;       ///< and ends here
inline constexpr std::uint8_t unmount = 0x20;
}  // namespace log_op

/// The first region of a transaction (xfs_trans_header).
struct XfsTransHeader {
  le32 th_magic;
  le32 th_type;
  le32 th_tid;
  le32 th_num_items;
};
static_assert(sizeof(XfsTransHeader) == 16);
inline constexpr std::uint32_t trans_header_magic = 0x5452414e;  ///< "TRAN"

}  // namespace vmfs::xfs
