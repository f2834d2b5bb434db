// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <libdeflate.h>

#include "formats/partition/gpt.h"
#include "formats/partition/mbr.h"
#include "formats/source.h"

namespace vmfs::testing {

/// A disk made by hand, of `size` zero bytes at first.
class DiskImage {
 public:
  explicit DiskImage(std::size_t size) : bytes_(size) {}

  template <class T>
  DiskImage& put(std::uint64_t offset, const T& value) {
    std::ranges::copy(std::as_bytes(std::span(&value, 1)),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return *this;
  }

  DiskImage& put_text(std::uint64_t offset, std::string_view text) {
    std::ranges::copy(std::as_bytes(std::span(text)), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return *this;
  }

  /// Writes record `slot` of the table in sector `sector`, and the sector's signature.
  DiskImage& record(std::uint64_t sector, std::uint64_t slot, std::uint8_t type, std::uint32_t start,
                    std::uint32_t size) {
    put(sector * 512 + 446 + slot * 16, MbrPartitionRecord{.boot_indicator = 0,
                                                           .starting_chs = {},
                                                           .os_type = type,
                                                           .ending_chs = {},
                                                           .starting_lba = start,
                                                           .size_in_lba = size});
    return put(sector * 512 + 510, le16{0xaa55});
  }

  /// One byte of 1, where a checksum or a signature is to break.
  DiskImage& damage(std::uint64_t offset) {
    bytes_.at(offset) ^= std::byte{1};
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size) const {
    return std::span(bytes_).subspan(offset, size);
  }
  [[nodiscard]] std::shared_ptr<const Source> source() const {
    return std::make_shared<MemorySource>(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
};

/// A GPT with a protective record and both copies. Change fields, then write().
struct Gpt {
  std::uint32_t sector_size = 512;
  std::uint64_t sectors = 2048;
  std::uint64_t entry_size = 128;
  std::vector<GptEntry> entries = std::vector<GptEntry>(128);
  GptHeader header = usual_header();
  /// Called on each header just before its checksum is made.
  void (*change)(GptHeader&) = [](GptHeader&) {};

  Gpt& entry(std::size_t index, std::uint64_t first, std::uint64_t last, std::u16string_view name = u"") {
    GptEntry& entry = entries.at(index);
    entry = {};
    entry.partition_type_guid.time_low = 0x0fc63daf;
    entry.unique_partition_guid.time_low = static_cast<std::uint32_t>(index) + 1;
    entry.starting_lba = first;
    entry.ending_lba = last;
    std::ranges::copy(name, entry.partition_name.begin());
    return *this;
  }

  [[nodiscard]] DiskImage write() const {
    DiskImage image(sectors * sector_size);
    image.record(0, 0, 0xee, 1, 0xffffffff);
    const std::uint64_t entries_sectors = (entries.size() * entry_size + sector_size - 1) / sector_size;
    write_copy(image, 1, 2);
    write_copy(image, sectors - 1, sectors - 1 - entries_sectors);
    return image;
  }

 private:
  static GptHeader usual_header() {
    GptHeader header{};
    std::ranges::copy(std::string_view("EFI PART"), header.signature.begin());
    header.revision = 0x10000;
    header.header_size = sizeof header;
    header.first_usable_lba = 34;
    header.last_usable_lba = 2000;
    header.disk_guid.time_low = 0x11223344;
    return header;
  }

  void write_copy(DiskImage& image, std::uint64_t lba, std::uint64_t entries_lba) const {
    for (std::size_t i = 0; i < entries.size(); ++i)
      image.put(entries_lba * sector_size + i * entry_size, entries[i]);
    const auto array = image.part(entries_lba * sector_size, entries.size() * entry_size);
    GptHeader copy = header;
    copy.my_lba = lba;
    copy.alternate_lba = lba == 1 ? sectors - 1 : 1;
    copy.partition_entry_lba = entries_lba;
    copy.number_of_partition_entries = static_cast<std::uint32_t>(entries.size());
    copy.size_of_partition_entry = static_cast<std::uint32_t>(entry_size);
    copy.partition_entry_array_crc32 = libdeflate_crc32(0, array.data(), array.size());
    change(copy);
    copy.header_crc32 = 0;
    copy.header_crc32 = libdeflate_crc32(0, &copy, sizeof copy);
    image.put(lba * sector_size, copy);
  }
};

}  // namespace vmfs::testing
