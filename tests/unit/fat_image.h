// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "fs/fat/fat.h"
#include "fs/fat/format.h"

namespace vmfs::testing {

/// A FAT16 volume made by hand: clusters of 512 bytes, the table at 512, the root's 16 entries at 17 KiB +
/// 512, cluster 2 behind them.
class FatImage {
 public:
  static constexpr std::size_t table = 512;
  static constexpr std::size_t root = table + 34 * 512;
  static constexpr std::size_t data = root + 512;
  static constexpr std::size_t sectors = 1 + 34 + 1 + 8192;

  FatImage() : bytes_(std::size_t{64} << 10) {
    fat::BootSector boot{};
    boot.bytes_per_sec = 512;
    boot.sec_per_clus = 1;
    boot.rsvd_sec_cnt = 1;
    boot.num_fats = 1;
    boot.root_ent_cnt = 16;
    boot.tot_sec16 = sectors;
    boot.media = 0xf8;
    boot.fat_sz16 = 34;
    boot.vol_id = 0x1234abcd;
    put(0, boot);
  }

  template <class T>
  FatImage& put(std::size_t offset, const T& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
    return *this;
  }

  /// What follows a cluster.
  FatImage& link(std::uint16_t cluster, std::uint16_t next) { return put(table + 2 * cluster, le16{next}); }

  /// An entry of the directory whose entries are at `directory`.
  FatImage& entry(std::size_t directory, std::size_t index, std::string_view name, std::uint8_t attr,
                  std::uint16_t start, std::uint32_t size = 0) {
    fat::DirEntry entry{};
    for (std::size_t i = 0; i < 11; ++i)
      entry.name[i] = i < name.size() ? static_cast<std::uint8_t>(name[i]) : ' ';
    entry.attr = attr;
    entry.fst_clus_lo = start;
    entry.file_size = size;
    return put(directory + index * 32, entry);
  }

  /// A part of a long name.
  FatImage& part(std::size_t directory, std::size_t index, std::uint8_t ord, std::u16string_view text,
                 std::uint8_t checksum) {
    fat::LongDirEntry part{};
    part.ord = ord;
    part.attr = fat::attr_long_name;
    part.chksum = checksum;
    for (std::size_t i = 0; i < text.size() && i < 13; ++i) {
      le16& unit = i < 5 ? part.name1[i] : i < 11 ? part.name2[i - 5] : part.name3[i - 11];
      unit = text[i];
    }
    return put(directory + index * 32, part);
  }

  /// A directory at a cluster, in the root.
  FatImage& directory(std::size_t index, std::string_view name, std::uint16_t cluster) {
    link(cluster, 0xffff).entry(root, index, name, fat::attr_directory, cluster);
    return entry(at(cluster), 0, ".", fat::attr_directory, cluster)
        .entry(at(cluster), 1, "..", fat::attr_directory, 0);
  }

  static constexpr std::size_t at(std::uint16_t cluster) { return data + (cluster - 2U) * 512; }

  [[nodiscard]] std::shared_ptr<const Source> source() const {
    return std::make_shared<MemorySource>(bytes_);
  }
  [[nodiscard]] Result<std::shared_ptr<const Filesystem>> open(std::string_view options = "") const {
    return open_fat_with(source(), options);
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace vmfs::testing
