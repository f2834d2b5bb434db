// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fs/xfs/log/ring.h"

namespace vmfs::xfs {

/// Blocks of the headers of a record that was written by a buffer of the size its header names
/// (xlog_logrec_hblks()).
[[nodiscard]] std::uint64_t header_blocks(const Geometry& geometry, const XlogRecHeader& header);

/// Blocks of the data of a record.
[[nodiscard]] inline std::uint64_t body_blocks(const XlogRecHeader& header) {
  return (std::uint64_t{header.h_len} + log_block_size - 1) / log_block_size;
}

/// The block that an LSN names.
[[nodiscard]] inline std::uint64_t block_of(std::uint64_t lsn) {
  return lsn & 0xffffffff;
}
/// The cycle that an LSN names.
[[nodiscard]] inline std::uint32_t cycle_of(std::uint64_t lsn) {
  return static_cast<std::uint32_t>(lsn >> 32);
}

/// Reads the records between two points of the log, one after the other. All have headers as long as the
/// first one's, as where the kernel replays them (xlog_do_recovery_pass()).
class RecordReader {
 public:
  enum class Checksums : std::uint8_t {
    ignored,
    if_any,    ///< a header without one is right: mkfs.xfs writes such
    required,  ///< by version 5
  };

  /// From `tail` (a block) to `head`, which is another one.
  RecordReader(const Ring& ring, const Geometry& geometry, std::uint64_t tail, std::uint64_t head,
               Checksums checksums);

  /// Reads the next record; false behind the last one.
  /// Errors: EUCLEAN, naming the block; position() is then where the bad record starts.
  [[nodiscard]] Result<bool> next();

  [[nodiscard]] const XlogRecHeader& header() const { return header_; }
  /// The record's data, h_len bytes, as it was before cycle numbers were put into it.
  [[nodiscard]] std::span<const std::byte> body() const { return std::span(body_).first(header_.h_len); }
  /// The block where the record starts.
  [[nodiscard]] std::uint64_t position() const { return position_ % ring_.blocks(); }

 private:
  [[nodiscard]] Result<void> set_buffer_size();
  [[nodiscard]] Result<void> check_header() const;
  [[nodiscard]] Result<void> check_sum() const;
  [[nodiscard]] std::uint32_t checksum(std::size_t header_size) const;
  void unpack_cycles();

  const Ring& ring_;
  const Geometry& geometry_;
  const Checksums checksums_;
  const std::uint64_t end_;  // not wrapped around
  std::uint64_t next_;       // likewise
  std::uint64_t position_;   // likewise
  std::uint32_t buffer_size_ = 0;
  std::uint64_t header_blocks_ = 1;
  XlogRecHeader header_;
  std::vector<std::byte> headers_;
  std::vector<std::byte> body_;  // whole blocks
};

}  // namespace vmfs::xfs
