// SPDX-License-Identifier: MIT
#include "fs/identify_probe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace vmfs {
namespace {

/// Metadata of arrays: all known places but one of Promise's.
constexpr std::uint64_t tail_size = 512U << 10;

constexpr std::uint64_t page_size = 4096;
constexpr std::size_t max_pages = 8;
constexpr std::uint64_t sector = 512;

/// The sum of 16-bit words, as simple checksums are made.
std::uint16_t sum_words(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += from_bytes<le16>(bytes.subspan(i));
  return static_cast<std::uint16_t>(sum);
}

/// md metadata version 0.90 (include/uapi/linux/raid/md_p.h), of either byte order.
template <class U32>
bool is_md0(const Probe& probe, std::uint64_t at) {
  const std::uint64_t data_size = probe.number<U32>(at + 32) * 1024;
  return probe.number<U32>(at) == 0xa92b4efc && data_size <= at;
}

/// md metadata version 1, which says where it is.
bool is_md1(const Probe& probe, std::uint64_t at) {
  return probe.number<le32>(at) == 0xa92b4efc && probe.number<le32>(at + 4) == 1 &&
         probe.number<le64>(at + 144) == at / sector;
}

struct MinixCounts {
  std::uint64_t inodes, zones, inode_maps, zone_maps, first_zone, log_zone_size;
};

/// The plausibility checks of fsck.minix.
bool is_plausible(const MinixCounts& counts) {
  constexpr std::uint64_t bits_per_map = 8192;
  return counts.log_zone_size == 0 && counts.inodes != 0 && counts.inodes != UINT32_MAX &&
         counts.inode_maps * bits_per_map > counts.inodes && counts.first_zone <= counts.zones &&
         counts.zone_maps * bits_per_map > counts.zones - counts.first_zone;
}

template <class U16, class U32>
bool is_minix_of(const Probe& probe) {
  constexpr std::uint64_t at = 1024;
  const auto u16 = [&](std::uint64_t offset) { return probe.number<U16>(at + offset); };
  const auto u32 = [&](std::uint64_t offset) { return probe.number<U32>(at + offset); };
  const std::uint64_t magic = u16(16);
  if (magic == 0x137f || magic == 0x138f)
    return is_plausible({u16(0), u16(2), u16(4), u16(6), u16(8), u16(10)});
  if (magic == 0x2468 || magic == 0x2478)
    return is_plausible({u16(0), u32(20), u16(4), u16(6), u16(8), u16(10)});
  return u16(24) == 0x4d5a && is_plausible({u32(0), u32(20), u16(6), u16(8), u16(10), u16(12)});
}

constexpr std::array<std::uint64_t, 5> page_sizes{0x1000, 0x2000, 0x4000, 0x8000, 0x10000};

/// Volume structure descriptors of ECMA-167 from 32 KiB on; NSR says that the volume has what UDF needs.
bool has_nsr(const Probe& probe, std::uint64_t descriptor_size) {
  constexpr std::uint64_t first = 32768;
  constexpr std::uint64_t max_descriptors = 64;
  static constexpr std::array<std::string_view, 5> others{"BEA01", "BOOT2", "CD001", "CDW02", "TEA01"};
  for (std::uint64_t i = 0; i < max_descriptors; ++i) {
    const std::uint64_t id = first + i * descriptor_size + 1;
    if (probe.holds(id, "NSR02") || probe.holds(id, "NSR03")) return true;
    if (std::ranges::none_of(others, [&](std::string_view other) { return probe.holds(id, other); }))
      return false;
  }
  return false;
}

/// A record header at the start of a sector of an XFS log (fs/xfs/libxfs/xfs_log_format.h).
bool is_xlog_header(std::span<const std::byte> bytes) {
  const auto u32 = [&](std::size_t offset) { return std::uint32_t{from_bytes<be32>(bytes.subspan(offset))}; };
  const std::uint32_t version = u32(8);
  return u32(0) == 0xfeedbabe && (version == 1 || version == 2) && u32(12) > 0 && u32(12) <= INT32_MAX &&
         u32(300) >= 1 && u32(300) <= 3;
}

}  // namespace

const Probe::Page& Probe::page(std::uint64_t begin) const {
  const auto known = std::ranges::find(pages_, begin, &Page::begin);
  if (known != pages_.end()) return *known;
  if (pages_.size() < max_pages) pages_.emplace_back();
  Page& page = pages_[oldest_];
  oldest_ = (oldest_ + 1) % max_pages;
  page.begin = begin;
  page.bytes.resize(static_cast<std::size_t>(std::min(page_size, size() - begin)));
  if (!read(volume_, begin, page.bytes)) page.bytes.clear();
  return page;
}

void Probe::keep_error(const Error& error) const {
  if (!error_) error_ = error;
}

std::uint64_t Probe::sectors_before_end(std::uint64_t sectors) const {
  const std::uint64_t all = size() / sector;
  return sectors <= all ? (all - sectors) * sector : size();
}

bool Probe::fill(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > size() || into.size() > size() - offset) return false;
  if (size() > tail_size && offset >= size() - tail_size && !std::exchange(tail_is_coming_, true))
    will_need(volume_, size() - tail_size, tail_size);
  const std::uint64_t begin = offset / page_size * page_size;
  const std::uint64_t skip = offset - begin;
  if (into.size() <= page_size - skip) {
    const auto& bytes = page(begin).bytes;
    if (bytes.size() >= skip + into.size()) {
      std::ranges::copy(std::span(bytes).subspan(static_cast<std::size_t>(skip), into.size()), into.begin());
      return true;
    }
  }
  const auto done = read(volume_, offset, into);
  if (!done) keep_error(done.error());
  return done.has_value();
}

bool Probe::holds(std::uint64_t offset, std::string_view bytes) const {
  std::array<std::byte, 32> there{};
  const auto part = std::span(there).first(std::min(bytes.size(), there.size()));
  return fill(offset, part) && std::ranges::equal(part, std::as_bytes(std::span(bytes)));
}

bool is_linux_raid(const Probe& probe) {
  constexpr std::uint64_t reserved = 0x10000;
  if (probe.size() > reserved) {
    const std::uint64_t last = (probe.size() & ~(reserved - 1)) - reserved;
    if (is_md0<le32>(probe, last) || is_md0<be32>(probe, last)) return true;
    if (is_md1(probe, (probe.size() & ~std::uint64_t{0xfff}) - 0x2000)) return true;
  }
  return is_md1(probe, 0) || is_md1(probe, 0x1000);
}

bool is_ddf_raid(const Probe& probe) {
  constexpr std::string_view magic = "\xde\x11\xde\x11";
  for (const std::uint64_t sectors : {1U, 257U}) {
    const std::uint64_t at = probe.sectors_before_end(sectors);
    if (!probe.holds(at, magic)) continue;
    const std::uint64_t primary = probe.number<be64>(at + 96);
    if (primary == 0) return true;
    return primary < probe.size() / sector && probe.holds(primary * sector, magic);
  }
  return false;
}

bool is_promise_raid(const Probe& probe) {
  static constexpr std::uint64_t places[] = {63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087};
  return std::ranges::any_of(places, [&](std::uint64_t sectors) {
    return probe.holds(probe.sectors_before_end(sectors), "Promise Technology, Inc.");
  });
}

bool is_highpoint_raid(const Probe& probe) {
  const std::uint64_t magic = probe.number<le32>(probe.sectors_before_end(11));
  return magic == 0x5a7816f3 || magic == 0x5a7816fd;
}

bool is_jmicron_raid(const Probe& probe) {
  std::array<std::byte, 128> bytes{};
  const std::uint64_t at = probe.sectors_before_end(1);
  return probe.holds(at, "JM") && probe.fill(at, bytes) && sum_words(bytes) <= 1 &&
         probe.number<std::uint8_t>(at + 0x30) <= 5;
}

bool is_silicon_raid(const Probe& probe) {
  std::array<std::byte, 0x140> bytes{};
  const std::uint64_t at = probe.sectors_before_end(1);
  return probe.number<le32>(at + 0x60) == 0x2f000000 && probe.number<std::uint8_t>(at + 0x116) < 8 &&
         probe.fill(at, bytes) && sum_words(bytes) == 0;
}

bool is_drbd(const Probe& probe) {
  const std::uint64_t at = probe.size() - 4096;
  const std::uint64_t magic = probe.number<be32>(at + 60);
  return magic >= 0x8374026b && magic <= 0x8374026d && probe.number<be32>(at + 80) == 4096;
}

bool is_lvm2(const Probe& probe) {
  for (const std::uint64_t label_sector : {0U, 1U, 2U, 3U}) {
    const std::uint64_t at = label_sector * sector;
    if (probe.holds(at, "LABELONE") && probe.holds(at + 24, "LVM2 001") &&
        probe.number<le64>(at + 8) == label_sector) {
      return true;
    }
  }
  return false;
}

bool is_bitlocker_to_go(const Probe& probe) {
  return probe.holds(0, "\xeb\x58\x90MSWIN4.1") && probe.holds(probe.number<le64>(440), "-FVE-FS-");
}

bool is_swap(const Probe& probe) {
  const std::uint64_t little = probe.number<le32>(1024);
  const std::uint64_t big = probe.number<be32>(1024);
  return std::ranges::any_of(page_sizes, [&](std::uint64_t page) {
    if (probe.holds(page - 10, "SWAP-SPACE")) return true;
    return probe.holds(page - 10, "SWAPSPACE2") && (little == 1 || big == 1) && probe.number<le32>(1028) != 0;
  });
}

bool is_suspended_swap(const Probe& probe) {
  static constexpr std::string_view magics[] = {"S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"};
  if (probe.holds(0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c")) return true;
  return std::ranges::any_of(page_sizes, [&](std::uint64_t page) {
    return std::ranges::any_of(magics, [&](std::string_view magic) { return probe.holds(page - 10, magic); });
  });
}

bool is_xfs_log(const Probe& probe) {
  constexpr std::size_t searched = 256U << 10;
  std::vector<std::byte> bytes(searched);
  if (!probe.fill(0, bytes)) return false;
  for (std::size_t at = 0; at < searched; at += sector) {
    const auto header = std::span(bytes).subspan(at, sector);
    if (from_bytes<be32>(header) == 0x58465342) return false;  // XFS itself, shifted
    if (is_xlog_header(header)) return true;
  }
  return false;
}

bool is_udf(const Probe& probe) {
  constexpr std::uint64_t anchor_tag = 2;
  for (const std::uint64_t block : {512U, 1024U, 2048U, 4096U}) {
    if (!has_nsr(probe, std::max<std::uint64_t>(block, 2048))) continue;
    for (const std::uint64_t location : {256U, 512U}) {
      const std::uint64_t at = location * block;
      if (probe.number<le16>(at) == anchor_tag && probe.number<le32>(at + 12) == location) return true;
    }
  }
  return false;
}

bool is_ufs(const Probe& probe) {
  static constexpr std::uint64_t magics[] = {0x00011954, 0x19540119, 0x00195612,
                                             0x00095014, 0x00612195, 0x05231994};
  constexpr std::uint64_t magic_offset = 1372;
  for (const std::uint64_t at : {0U, 8U << 10, 64U << 10, 256U << 10}) {
    const std::uint64_t little = probe.number<le32>(at + magic_offset);
    const std::uint64_t big = probe.number<be32>(at + magic_offset);
    if (std::ranges::any_of(magics, [&](std::uint64_t magic) { return little == magic || big == magic; }))
      return true;
  }
  return false;
}

bool is_sysv(const Probe& probe) {
  constexpr std::uint64_t magic = 0xfd187e20;
  constexpr std::uint64_t magic_offset = 512 + 504;
  for (const std::uint64_t block : {0U, 9U, 15U, 18U}) {
    const std::uint64_t at = block * 1024 + magic_offset;
    if (probe.number<le32>(at) == magic || probe.number<be32>(at) == magic) return true;
  }
  return false;
}

bool is_minix(const Probe& probe) {
  return is_minix_of<le16, le32>(probe) || is_minix_of<be16, be32>(probe);
}

bool is_zfs(const Probe& probe) {
  constexpr std::uint64_t label = 256U << 10;
  constexpr std::uint64_t pairs = 16U << 10;
  const std::uint64_t end = probe.size() / label * label;
  return std::ranges::any_of(
      std::array{std::uint64_t{0}, label, end - 2 * label, end - label}, [&](std::uint64_t at) {
        // A name-value list in XDR whose first name, of 7 letters, is "version".
        const std::uint64_t list = at + pairs;
        return probe.number<std::uint8_t>(list) == 1 && probe.number<std::uint8_t>(list + 1) <= 1 &&
               probe.number<be32>(list + 20) == 7 && probe.holds(list + 24, "version");
      });
}

}  // namespace vmfs
