// SPDX-License-Identifier: MIT
#include "fs/xfs/log/record.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "formats/crc32c.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t known_versions = 3;  // XLOG_VERSION_OKBITS
constexpr std::uint32_t version2_bit = 2;

std::uint64_t spans_of(std::uint64_t bytes) {
  return std::max<std::uint64_t>(1, (bytes + log_cycle_span - 1) / log_cycle_span);
}

}  // namespace

std::uint64_t header_blocks(const Geometry& geometry, const XlogRecHeader& header) {
  if (!geometry.log_v2 || (header.h_version & version2_bit) == 0) return 1;
  return spans_of(header.h_size);
}

RecordReader::RecordReader(const Ring& ring, const Geometry& geometry, std::uint64_t tail, std::uint64_t head,
                           Checksums checksums)
    : ring_(ring),
      geometry_(geometry),
      checksums_(checksums),
      end_(head > tail ? head : head + ring.blocks()),
      next_(tail),
      position_(tail) {}

// How long records can be is what the buffers of the kernel that wrote the first one had room for.
Result<void> RecordReader::set_buffer_size() {
  buffer_size_ = log_cycle_span;
  if (geometry_.log_v2) {
    const auto first = from_bytes<XlogRecHeader>(TRY(ring_.block(position_)));
    buffer_size_ = first.h_size;
    // mkfs.xfs pads the only record it writes to the stripe unit, and writes 32 KiB here whatever that is.
    const std::uint32_t stripe = std::max(geometry_.log_unit, log_cycle_span);
    if (first.h_len > buffer_size_ && first.h_len <= stripe && first.h_num_logops == 1) buffer_size_ = stripe;
    if (buffer_size_ > log_max_record) return bad_log(ring_, position_, "h_size {}", buffer_size_);
    if ((first.h_version & version2_bit) != 0) header_blocks_ = spans_of(buffer_size_);
  }
  headers_.resize(static_cast<std::size_t>(header_blocks_) * log_block_size);
  return {};
}

Result<void> RecordReader::check_header() const {
  const std::uint32_t version = header_.h_version;
  if (header_.h_magicno != log_header_magic)
    return bad_log(ring_, position_, "no record starts here (h_magicno {:#010x})",
                   std::uint32_t{header_.h_magicno});
  if (version == 0 || (version & ~known_versions) != 0)
    return bad_log(ring_, position_, "unknown version of a record (h_version {})", version);
  if (header_.h_len == 0 || header_.h_len > buffer_size_ ||
      body_blocks(header_) + header_blocks_ > ring_.blocks())
    return bad_log(ring_, position_, "h_len {}, where records have {} bytes at most",
                   std::uint32_t{header_.h_len}, buffer_size_);
  return {};
}

std::uint32_t RecordReader::checksum(std::size_t header_size) const {
  constexpr std::array<std::byte, 4> zero{};
  constexpr std::size_t field = offsetof(XlogRecHeader, h_crc);
  const auto headers = std::span(headers_);
  std::uint32_t crc = crc32c(crc32c(~0U, headers.first(field)), zero);
  crc = crc32c(crc, headers.subspan(field + zero.size(), header_size - field - zero.size()));
  const std::uint64_t spans = geometry_.log_v2 ? std::min(spans_of(header_.h_len), header_blocks_) : 1;
  for (std::uint64_t i = 1; i < spans; ++i) {
    crc =
        crc32c(crc, headers.subspan(static_cast<std::size_t>(i) * log_block_size, sizeof(XlogRecExtHeader)));
  }
  return ~crc32c(crc, body());
}

Result<void> RecordReader::check_sum() const {
  constexpr std::size_t i386_size = sizeof(XlogRecHeader) - sizeof(be32);
  const std::uint32_t wanted = header_.h_crc;
  if (checksums_ == Checksums::ignored || (checksums_ == Checksums::if_any && wanted == 0)) return {};
  if (checksums_ == Checksums::required && !geometry_.v5) return {};
  const std::uint32_t sum = checksum(sizeof(XlogRecHeader));
  if (sum == wanted || checksum(i386_size) == wanted) return {};
  return bad_log(ring_, position_, "h_crc {:#010x}, computed {:#010x}", wanted, sum);
}

// The first word of each block was exchanged for the cycle number.
void RecordReader::unpack_cycles() {
  const std::uint64_t count = std::min(body_blocks(header_), header_blocks_ * log_cycles_per_header);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t header = i / log_cycles_per_header;
    const std::size_t cycles =
        header == 0 ? offsetof(XlogRecHeader, h_cycle_data) : offsetof(XlogRecExtHeader, xh_cycle_data);
    const std::size_t word = static_cast<std::size_t>(header) * log_block_size + cycles +
                             static_cast<std::size_t>(i % log_cycles_per_header) * sizeof(be32);
    std::memcpy(&body_[static_cast<std::size_t>(i) * log_block_size], &headers_[word], sizeof(be32));
  }
}

Result<bool> RecordReader::next() {
  position_ = next_;
  if (next_ >= end_) return false;
  if (buffer_size_ == 0) TRY(set_buffer_size());
  TRY(ring_.read(position_, headers_));
  header_ = from_bytes<XlogRecHeader>(headers_);
  TRY(check_header());
  const std::uint64_t blocks = body_blocks(header_);
  body_.resize(static_cast<std::size_t>(blocks) * log_block_size);
  TRY(ring_.read(position_ + header_blocks_, body_));
  TRY(check_sum());
  unpack_cycles();
  next_ = position_ + header_blocks_ + blocks;
  return true;
}

}  // namespace vmfs::xfs
