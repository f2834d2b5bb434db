// SPDX-License-Identifier: MIT
#include "fs/xfs/log/ring.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t window_blocks = 128;
constexpr std::uint64_t min_blocks = 512;         // XFS_MIN_LOG_BLOCKS of the smallest file system blocks
constexpr std::uint64_t max_blocks = 1ULL << 31;  // block numbers are 32 bits (XFS_MAX_LOG_BYTES is 2 GiB)

}  // namespace

Result<Ring> Ring::create(const Source& volume, const Geometry& geometry) {
  const auto offset = geometry.offset_of(FsBlock{geometry.log_start}, geometry.log_blocks);
  const std::uint64_t blocks = std::uint64_t{geometry.log_blocks} << (geometry.block_log - 9);
  if (!offset || blocks < min_blocks || blocks > max_blocks) {
    return fail(EUCLEAN, "xfs: superblock: sb_logstart {:#x}, sb_logblocks {}", geometry.log_start,
                geometry.log_blocks);
  }
  return Ring(volume, *offset, blocks);
}

Result<void> Ring::read(std::uint64_t first, std::span<std::byte> into) const {
  while (!into.empty()) {
    first %= blocks_;
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), (blocks_ - first) * log_block_size));
    TRY(vmfs::read(*volume_, offset_ + first * log_block_size, into.first(length)));
    into = into.subspan(length);
    first += length / log_block_size;
  }
  return {};
}

Result<std::span<const std::byte>> Ring::block(std::uint64_t number) const {
  number %= blocks_;
  if (window_.empty() || number < window_start_ || number - window_start_ >= window_blocks) {
    const std::uint64_t start = number / window_blocks * window_blocks;
    std::vector<std::byte> fresh(window_blocks * log_block_size);
    TRY(read(start, fresh));
    window_ = std::move(fresh);
    window_start_ = start;
  }
  return std::span(window_).subspan(static_cast<std::size_t>(number - window_start_) * log_block_size,
                                    log_block_size);
}

Result<std::uint32_t> Ring::cycle(std::uint64_t number) const {
  const auto bytes = TRY(block(number));
  const auto words = from_bytes<std::array<be32, 2>>(bytes);
  return std::uint32_t{words[0] == log_header_magic ? words[1] : words[0]};
}

Result<bool> Ring::is_header(std::uint64_t number) const {
  const auto bytes = TRY(block(number));
  return from_bytes<be32>(bytes) == log_header_magic;
}

Result<std::optional<std::uint64_t>> Ring::find_cycle(std::uint64_t start, std::uint64_t count,
                                                      std::uint32_t wanted) const {
  for (std::uint64_t number = start; number < start + count; ++number) {
    if (TRY(cycle(number)) == wanted) return number;
  }
  return std::optional<std::uint64_t>{};
}

Result<std::uint64_t> Ring::start_of_cycle(std::uint32_t wanted) const {
  std::uint64_t low = 0;
  std::uint64_t high = blocks_ - 1;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::uint32_t found = TRY(cycle(middle));
    (found == wanted ? high : low) = middle;
  }
  return high;
}

Result<std::optional<std::uint64_t>> Ring::find_header_back(std::uint64_t from, std::uint64_t to,
                                                            unsigned count) const {
  std::optional<std::uint64_t> found;
  const std::uint64_t distance = from > to ? from - to : from + blocks_ - to;
  for (std::uint64_t back = 1; back <= distance && count > 0; ++back) {
    const std::uint64_t number = (from + blocks_ - back) % blocks_;
    if (!TRY(is_header(number))) continue;
    found = number;
    --count;
  }
  return found;
}

Result<std::optional<std::uint64_t>> Ring::find_header(std::uint64_t from, std::uint64_t to) const {
  const std::uint64_t distance = from < to ? to - from : to + blocks_ - from;
  for (std::uint64_t ahead = 0; ahead < distance; ++ahead) {
    const std::uint64_t number = (from + ahead) % blocks_;
    if (TRY(is_header(number))) return number;
  }
  return std::optional<std::uint64_t>{};
}

}  // namespace vmfs::xfs
