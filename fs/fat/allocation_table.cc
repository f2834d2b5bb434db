// SPDX-License-Identifier: MIT
#include "fs/fat/allocation_table.h"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vmfs::fat {
namespace {

// From here on an entry ends a chain: damaged clusters (...f7) do so too, as in Linux.
constexpr std::uint32_t end_mark(unsigned bits) {
  return bits == 12 ? 0xff7 : bits == 16 ? 0xfff7 : 0x0ffffff7;
}

constexpr std::uint32_t mask32 = 0x0fffffff;  // the upper four bits of FAT32 are reserved

}  // namespace

Result<void> AllocationTable::read_cached(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const std::uint64_t page = offset / page_size;
    const std::uint64_t within = offset % page_size;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), page_size - within));
    Slot& slot = slots_[page % slot_count];
    const std::lock_guard lock(slot.mutex);
    if (slot.page != page) {
      // Pages need not be aligned on the volume; the last one may end with it.
      const std::uint64_t start = geometry_.table_offset + page * page_size;
      const std::uint64_t there = std::min<std::uint64_t>(page_size, volume_.size() - start);
      slot.page = ~std::uint64_t{0};
      TRY(read(volume_, start, std::span(slot.bytes).first(static_cast<std::size_t>(there))));
      slot.page = page;
    }
    std::ranges::copy(std::span(slot.bytes).subspan(static_cast<std::size_t>(within), length), into.begin());
    into = into.subspan(length);
    offset += length;
  }
  return {};
}

Result<std::uint32_t> AllocationTable::entry(Cluster cluster) const {
  std::array<std::byte, 4> bytes{};
  switch (geometry_.bits) {
    case 12: {
      TRY(read_cached(cluster + cluster / 2, std::span(bytes).first(2)));
      const std::uint32_t pair = from_bytes<le16>(bytes);
      return cluster % 2 == 0 ? pair & 0xfffU : pair >> 4U;
    }
    case 16:
      TRY(read_cached(std::uint64_t{cluster} * 2, std::span(bytes).first(2)));
      return std::uint32_t{from_bytes<le16>(bytes)};
    default:
      TRY(read_cached(std::uint64_t{cluster} * 4, bytes));
      return from_bytes<le32>(bytes) & mask32;
  }
}

Result<Cluster> AllocationTable::follow(Cluster cluster) const {
  const std::uint32_t next = TRY(entry(cluster));
  if (next >= end_mark(geometry_.bits)) return end;
  if (!geometry_.is_valid(next)) return fail(EIO, "fat: cluster {} is followed by {}", cluster, next);
  return next;
}

Result<std::uint64_t> AllocationTable::count_free() const {
  std::uint64_t free = 0;
  if (geometry_.bits == 12) {
    for (Cluster cluster = first_cluster; cluster < geometry_.cluster_end; ++cluster) {
      const std::uint32_t number = TRY(entry(cluster));
      free += number == 0 ? 1 : 0;
    }
    return free;
  }
  constexpr std::uint64_t most = 16384;
  const std::uint64_t width = geometry_.bits / 8;
  std::vector<std::byte> bytes(most * width);
  for (std::uint64_t cluster = first_cluster; cluster < geometry_.cluster_end;) {
    const std::uint64_t offset = geometry_.table_offset + cluster * width;
    const std::uint64_t left = geometry_.cluster_end - cluster;
    const Extent extent = TRY(volume_.map(offset, left * width));
    const bool is_hole = extent.kind == Extent::Kind::zero && extent.length >= width;
    const std::uint64_t count = is_hole ? extent.length / width : std::min(left, most);
    if (is_hole) {
      free += count;
    } else {
      const auto part = std::span(bytes).first(static_cast<std::size_t>(count * width));
      TRY(read(volume_, offset, part));
      for (std::size_t at = 0; at < part.size(); at += width) {
        const std::uint32_t number = width == 2 ? std::uint32_t{from_bytes<le16>(part.subspan(at))}
                                                : from_bytes<le32>(part.subspan(at)) & mask32;
        free += number == 0 ? 1 : 0;
      }
    }
    cluster += count;
  }
  return free;
}

}  // namespace vmfs::fat
