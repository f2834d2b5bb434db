// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "formats/crc32c.h"
#include "fs/xfs/log/item_format.h"
#include "fs/xfs/log/recovery.h"
#include "fs/xfs/log/tail.h"
#include "tests/tools/sparse_image.h"

namespace vmfs::tests {

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  return {raw.begin(), raw.end()};
}

inline std::vector<std::byte> operator+(std::vector<std::byte> left, const std::vector<std::byte>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline std::uint64_t lsn_at(std::uint64_t cycle, std::uint64_t block) {
  return cycle << 32 | block;
}

/// A volume of 8 MiB with a log of 1024 blocks, written by hand.
class LogImage {
 public:
  static constexpr std::uint64_t blocks = 1024;
  static constexpr std::uint32_t size_of_buffers = 32768;

  LogImage() {
    g.block_size = 4096;
    g.block_log = 12;
    g.sector_size = 512;
    g.blocks = 2048;
    g.ag_count = 1;
    g.ag_blocks = 2048;
    g.ag_block_log = 11;
    g.inode_size = 512;
    g.inode_log = 9;
    g.inodes_per_block_log = 3;
    g.dir_block_log = 12;
    g.log_start = 1024;
    g.log_blocks = blocks / 8;
    g.v5 = true;
    g.log_v2 = true;
    g.uuid = {1, 2, 3};
    g.meta_uuid = g.uuid;
  }

  /// An operation of transaction `id`.
  static std::vector<std::byte> operation(std::uint32_t id, std::uint8_t flags,
                                          const std::vector<std::byte>& bytes = {}) {
    return bytes_of(xfs::XlogOpHeader{.oh_tid = id,
                                      .oh_len = static_cast<std::uint32_t>(bytes.size()),
                                      .oh_clientid = xfs::log_client::transaction,
                                      .oh_flags = flags,
                                      .oh_res2 = std::uint16_t{0}}) +
           bytes;
  }
  static std::vector<std::byte> transaction_header() {
    return bytes_of(xfs::XfsTransHeader{
        .th_magic = xfs::trans_header_magic, .th_type = 40U, .th_tid = 0U, .th_num_items = 1U});
  }
  static std::vector<std::byte> start(std::uint32_t id) {
    return operation(id, xfs::log_op::start) + operation(id, 0, transaction_header());
  }
  static std::vector<std::byte> commit(std::uint32_t id) { return operation(id, xfs::log_op::commit); }
  static std::vector<std::byte> unmount() {
    return operation(7, xfs::log_op::unmount, std::vector<std::byte>(8));
  }

  struct Options {
    std::uint64_t tail = lsn_at(1, 0);
    std::uint32_t buffer = size_of_buffers;
    std::uint32_t format = xfs::log_format_linux_le;
    bool seal = true;
  };

  /// Writes a record where the last one ended. Returns its block.
  std::uint64_t add(std::vector<std::byte> body) { return add(std::move(body), Options{}); }
  std::uint64_t add(std::vector<std::byte> body, Options options) {
    const std::uint32_t operations = count_operations(body);
    body.resize((body.size() + 511) / 512 * 512);
    const std::size_t headers = std::max<std::size_t>(1, (options.buffer + 32767) / 32768);
    xfs::XlogRecHeader header{.h_magicno = xfs::log_header_magic,
                              .h_cycle = cycle,
                              .h_version = version,
                              .h_len = static_cast<std::uint32_t>(body.size()),
                              .h_lsn = lsn_at(cycle, next),
                              .h_tail_lsn = options.tail,
                              .h_crc = 0U,
                              .h_prev_block = 0U,
                              .h_num_logops = operations,
                              .h_cycle_data = {},
                              .h_fmt = options.format,
                              .h_fs_uuid = g.uuid,
                              .h_size = options.buffer,
                              .h_pad0 = 0U};
    std::vector<std::byte> record(headers * 512);
    std::uint32_t sum = checksum_of(header, body, record, headers);
    header.h_crc = options.seal ? sum : sum ^ 1U;
    std::memcpy(record.data(), &header, sizeof header);
    record = record + body;
    const std::uint64_t block = next;
    for (std::size_t at = 0; at < record.size(); at += 512)
      put_block(std::span(record).subspan(at, 512), at != 0);
    return block;
  }

  /// Puts the blocks `count` further on, as if they had been written in this cycle by records of no interest.
  void fill(std::uint64_t count) {
    while (count > 0) {
      const std::uint64_t part = std::min<std::uint64_t>(count, 64);
      add(std::vector<std::byte>((part - 1) * 512), {.tail = lsn_at(cycle, next)});
      count -= part;
    }
  }

  [[nodiscard]] std::uint64_t offset_of(std::uint64_t block) const {
    return g.log_start * g.block_size + block * 512;
  }

  [[nodiscard]] Result<xfs::LogExtent> extent() const {
    const auto ring = xfs::Ring::create(*disk, g);
    if (!ring) return std::unexpected(ring.error());
    return xfs::find_log_extent(*ring, g, true);
  }
  [[nodiscard]] Result<xfs::Recovered> recover() const { return xfs::recover_log(disk, g, true); }

  xfs::Geometry g;
  std::shared_ptr<SparseImage> disk = std::make_shared<SparseImage>(8U << 20);
  std::uint32_t version = 2;
  std::uint32_t cycle = 1;
  std::uint64_t next = 0;

 private:
  // As far as they look like some.
  static std::uint32_t count_operations(std::span<const std::byte> body) {
    std::uint32_t count = 0;
    while (body.size() >= sizeof(xfs::XlogOpHeader)) {
      const auto operation = from_bytes<xfs::XlogOpHeader>(body);
      if (operation.oh_clientid != xfs::log_client::transaction) break;
      ++count;
      body = body.subspan(std::min<std::size_t>(body.size(), sizeof operation + operation.oh_len));
    }
    return count;
  }

  // Takes the first words of the body's blocks into the headers, and computes the checksum of what it was
  // before.
  [[nodiscard]] std::uint32_t checksum_of(xfs::XlogRecHeader& header, std::vector<std::byte>& body,
                                          std::vector<std::byte>& record, std::size_t headers) const {
    std::vector<xfs::XlogRecExtHeader> more(headers);
    for (std::size_t i = 0; i * 512 < body.size(); ++i) {
      const auto word = from_bytes<be32>(std::span<const std::byte>(body).subspan(i * 512));
      (i < 64 ? header.h_cycle_data[i] : more[i / 64].xh_cycle_data[i % 64]) = word;
      const be32 mark = next + headers + i < blocks ? cycle : cycle + 1;
      std::memcpy(&body[i * 512], &mark, sizeof mark);
    }
    for (std::size_t i = 1; i < headers; ++i) {
      more[i].xh_cycle = cycle;
      std::memcpy(&record[i * 512], &more[i], sizeof more[i]);
    }
    std::uint32_t sum = crc32c(~0U, bytes_of(header));
    for (std::size_t i = 1; i < std::min(headers, (body.size() + 32767) / 32768); ++i)
      sum = crc32c(sum, std::span<const std::byte>(record).subspan(i * 512, sizeof more[i]));
    return ~crc32c(sum, body);
  }

  void put_block(std::span<const std::byte> bytes, bool /*rest*/) {
    disk->write(offset_of(next), bytes);
    if (++next == blocks) {
      next = 0;
      ++cycle;
    }
  }
};

/// A buffer item that writes the 128 bytes `chunk` into chunk number `index` of the buffer at `sector`.
inline std::vector<std::byte> buffer_item(std::uint32_t id, std::uint64_t sector, std::uint32_t flags,
                                          std::uint32_t index, std::byte fill) {
  const bool cancel = (flags & xfs::blf::cancel) != 0;
  const xfs::BufLogFormat head{.blf_type = static_cast<std::uint16_t>(xfs::LogItemType::buf),
                               .blf_size = static_cast<std::uint16_t>(cancel ? 1 : 2),
                               .blf_flags = static_cast<std::uint16_t>(flags),
                               .blf_len = std::uint16_t{8},
                               .blf_blkno = sector,
                               .blf_map_size = 1U};
  const le32 map = cancel ? 0U : 1U << index;
  auto item = LogImage::operation(id, 0, bytes_of(head) + bytes_of(map));
  if (!cancel) item = item + LogImage::operation(id, 0, std::vector<std::byte>(128, fill));
  return item;
}

}  // namespace vmfs::tests
