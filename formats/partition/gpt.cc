// SPDX-License-Identifier: MIT
#include "formats/partition/gpt.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <vector>

#include <libdeflate.h>

namespace vmfs {
namespace {

constexpr std::string_view gpt_signature = "EFI PART";
constexpr std::uint64_t primary_lba = 1;
constexpr std::uint32_t max_entry_size = 4096;

/// What the kernel can allocate for the entries at once, and so the largest table it reads.
constexpr std::uint64_t max_entries_bytes = 4U << 20;

/// One valid copy of the table.
struct Copy {
  GptHeader header;
  std::vector<std::byte> entries;
  std::uint32_t sector_size;
};

std::uint32_t crc32(std::span<const std::byte> bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

/// The checks of is_gpt_valid() in block/partitions/efi.c that need the header alone.
Result<void> check_header(std::span<const std::byte> sector, std::uint64_t lba, std::uint64_t last_lba) {
  auto header = from_bytes<GptHeader>(sector);
  if (std::string_view(header.signature.data(), header.signature.size()) != gpt_signature) {
    return fail(EUCLEAN, "no signature");
  }
  if (header.header_size < sizeof(GptHeader) || header.header_size > sector.size()) {
    return fail(EUCLEAN, "header size {} is not within {} and {}", std::uint32_t{header.header_size},
                sizeof(GptHeader), sector.size());
  }
  std::vector<std::byte> zeroed(sector.begin(), sector.begin() + header.header_size);
  std::ranges::fill(std::span(zeroed).subspan(offsetof(GptHeader, header_crc32), 4), std::byte{0});
  if (crc32(zeroed) != header.header_crc32) {
    return fail(EUCLEAN, "header CRC is {:08x}, should be {:08x}", std::uint32_t{header.header_crc32},
                crc32(zeroed));
  }
  if (header.my_lba != lba) return fail(EUCLEAN, "it says it is at LBA {}", std::uint64_t{header.my_lba});
  if (header.first_usable_lba > header.last_usable_lba || header.last_usable_lba > last_lba) {
    return fail(EUCLEAN,
                "usable LBAs {} to {} are not within the disk, whose last one is {} (is the image cut off?)",
                std::uint64_t{header.first_usable_lba}, std::uint64_t{header.last_usable_lba}, last_lba);
  }
  return {};
}

/// Size and place of the entries, checked before anything is allocated for them.
Result<std::uint64_t> entries_size(const GptHeader& header, std::uint64_t sector_size,
                                   std::uint64_t disk_size) {
  const std::uint32_t entry_size = header.size_of_partition_entry;
  if (entry_size < sizeof(GptEntry) || entry_size > max_entry_size || entry_size % 8 != 0) {
    return fail(EUCLEAN, "entry size {}", entry_size);
  }
  const std::uint64_t size = std::uint64_t{entry_size} * header.number_of_partition_entries;
  if (size == 0 || size > max_entries_bytes) {
    return fail(EUCLEAN, "{} entries of {} bytes", std::uint32_t{header.number_of_partition_entries},
                entry_size);
  }
  const std::uint64_t first = header.partition_entry_lba;
  if (first <= primary_lba || first >= disk_size / sector_size || size > disk_size - first * sector_size) {
    return fail(EUCLEAN, "{} bytes of entries at LBA {} are not inside the disk", size, first);
  }
  return size;
}

/// Reads one copy. Errors: EUCLEAN and what is wrong with it; EIO.
Result<Copy> read_copy(const Source& disk, std::uint32_t sector_size, std::uint64_t lba) {
  const std::uint64_t last_lba = disk.size() / sector_size - 1;
  std::vector<std::byte> sector(sector_size);
  TRY(read(disk, lba * sector_size, sector));
  TRY(check_header(sector, lba, last_lba));
  const auto header = from_bytes<GptHeader>(sector);
  const std::uint64_t size = TRY(entries_size(header, sector_size, disk.size()));
  std::vector<std::byte> entries(static_cast<std::size_t>(size));
  TRY(read(disk, header.partition_entry_lba * sector_size, entries));
  if (crc32(entries) != header.partition_entry_array_crc32) {
    return fail(EUCLEAN, "CRC of the entries is {:08x}, should be {:08x}",
                std::uint32_t{header.partition_entry_array_crc32}, crc32(entries));
  }
  return Copy{.header = header, .entries = std::move(entries), .sector_size = sector_size};
}

/// Tries the copies in the order of read_gpt().
Result<Copy> find_copy(const Source& disk, const Warn& warn) {
  std::string reasons;
  std::string unsigned_reasons;
  for (const bool backup : {false, true}) {
    for (const std::uint32_t sector_size : {512U, 4096U}) {
      if (disk.size() / sector_size < 3) continue;
      const std::uint64_t lba = backup ? disk.size() / sector_size - 1 : primary_lba;
      auto copy = read_copy(disk, sector_size, lba);
      if (copy && !reasons.empty())
        warn(fmt::format("GPT: {}; another copy is used", reasons));
      else if (copy && backup)
        warn("GPT: no primary header; the backup is used");
      if (copy || copy.error().code != EUCLEAN) return copy;
      std::string& list = copy.error().what == "no signature" ? unsigned_reasons : reasons;
      list += fmt::format("{}{} header at LBA {} of {} bytes: {}", list.empty() ? "" : "; ",
                          backup ? "backup" : "primary", lba, sector_size, copy.error().what);
    }
  }
  return fail(EUCLEAN, "GPT: no copy is valid: {}", reasons.empty() ? unsigned_reasons : reasons);
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

/// UTF-16 up to the first zero; a surrogate without its partner becomes U+FFFD.
std::string utf8_name(const std::array<le16, 36>& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size() && name[i] != 0; ++i) {
    std::uint32_t code = name[i];
    const std::uint32_t next = i + 1 < name.size() ? std::uint32_t{name[i + 1]} : 0;
    if (code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
      ++i;
    } else if (code >= 0xd800 && code < 0xe000) {
      code = 0xfffd;
    }
    append_utf8(out, code);
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

void add(PartitionTable& table, std::uint32_t number, const GptEntry& entry, std::uint64_t last_lba,
         const Warn& warn) {
  const std::uint64_t first = entry.starting_lba;
  const std::uint64_t last = entry.ending_lba;
  if (first > last || last > last_lba) {
    warn(fmt::format("partition {}: sectors {} to {} {}: left out", number, first, last,
                     first > last ? "are the wrong way round"
                                  : fmt::format("are not inside the disk, whose last one is {}", last_lba)));
    return;
  }
  table.partitions.push_back({.number = number,
                              .offset = first * table.sector_size,
                              .size = (last - first + 1) * table.sector_size,
                              .type = upper(entry.partition_type_guid.text()),
                              .name = utf8_name(entry.partition_name),
                              .uuid = entry.unique_partition_guid.text()});
}

}  // namespace

bool Guid::is_zero() const {
  return time_low == 0 && time_mid == 0 && time_high_and_version == 0 &&
         std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0; });
}

std::string Guid::text() const {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}",
                     std::uint32_t{time_low}, std::uint16_t{time_mid}, std::uint16_t{time_high_and_version},
                     rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]);
}

Result<PartitionTable> read_gpt(const Source& disk, const Warn& warn) {
  const Copy copy = TRY(find_copy(disk, warn));
  PartitionTable table{
      .kind = "gpt", .id = copy.header.disk_guid.text(), .sector_size = copy.sector_size, .partitions = {}};
  const std::uint64_t last_lba = disk.size() / copy.sector_size - 1;
  const std::size_t entry_size = copy.header.size_of_partition_entry;
  for (std::uint32_t i = 0; i < copy.header.number_of_partition_entries; ++i) {
    const auto entry =
        from_bytes<GptEntry>(std::span(copy.entries).subspan(i * entry_size, sizeof(GptEntry)));
    if (entry.partition_type_guid.is_zero()) continue;
    if (table.partitions.size() == max_partitions) {
      warn(fmt::format("more than {} partitions: number {} and those behind it are left out", max_partitions,
                       i + 1));
      break;
    }
    add(table, i + 1, entry, last_lba, warn);
  }
  return table;
}

}  // namespace vmfs
