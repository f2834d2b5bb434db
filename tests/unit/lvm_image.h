// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "formats/lvm/format.h"
#include "tests/unit/disk_image.h"

namespace vmfs::testing {

/// The UUID of hand-made volumes, told apart by a letter.
inline std::string lvm_uuid(char letter) {
  lvm::Id id{};
  id.letters.fill(letter);
  return id.text();
}

/// A physical volume made by hand: a label in one sector, metadata areas with a text. Change fields, then
/// write().
struct PvImage {
  std::size_t size = std::size_t{1} << 20;
  char letter = 'p';
  std::uint64_t label_sector = 1;
  std::vector<std::uint64_t> areas = {4096};  ///< where they lie
  std::uint64_t area_size = 32768;
  std::string text;
  std::uint64_t text_offset = 512;  ///< in the area
  std::uint32_t text_flags = 0;
  /// Called on structures just before their checksums are made.
  void (*change_label)(DiskImage&) = [](DiskImage&) {};
  void (*change_area)(lvm::MdaHeader&) = [](lvm::MdaHeader&) {};

  [[nodiscard]] DiskImage write() const {
    DiskImage image(size);
    for (const std::uint64_t area : areas) write_area(image, area);
    write_label(image);
    return image;
  }

 private:
  void write_label(DiskImage& image) const {
    const std::uint64_t at = label_sector * 512;
    image.put_text(at, "LABELONE").put(at + 8, le64{label_sector}).put(at + 20, le32{32});
    image.put_text(at + 24, "LVM2 001").put_text(at + 32, std::string(32, letter)).put(at + 64, le64{size});
    std::uint64_t next = at + 72;
    image.put(next, le64{65536});  // a data area, then the end of their list
    next += 32;
    for (const std::uint64_t area : areas) {
      image.put(next, le64{area}).put(next + 8, le64{area_size});
      next += 16;
    }
    change_label(image);
    image.put(at + 16, le32{lvm::checksum(image.part(at + 20, 512 - 20))});
  }

  void write_area(DiskImage& image, std::uint64_t area) const {
    lvm::MdaHeader header{};
    std::ranges::copy(std::string_view(" LVM2 x[5A%r0N*>"), header.magic.begin());
    header.version = 1;
    header.start = area;
    header.size = area_size;
    const std::string ended = text + '\0';
    if (!text.empty()) {
      header.raw_locns[0].offset = text_offset;
      header.raw_locns[0].size = ended.size();
      header.raw_locns[0].checksum = lvm::checksum(std::as_bytes(std::span(ended)));
      header.raw_locns[0].flags = text_flags;
      const std::size_t first = std::min<std::size_t>(ended.size(), area_size - text_offset);
      image.put_text(area + text_offset, ended.substr(0, first));
      image.put_text(area + 512, ended.substr(first));
    }
    change_area(header);
    image.put(area, header);
    image.put(area, le32{lvm::checksum(image.part(area + 4, 508))});
  }
};

/// A metadata text of a group with extents of 4 KiB: its physical volumes by letter, 16 extents each from
/// byte 65536 on, and logical volumes as written by lvm_volume().
inline std::string lvm_group(std::string_view physical, std::string_view logical, int seqno = 1,
                             std::string_view name = "vg", char letter = 'v') {
  std::string text = std::string(name) + " {\nid = \"" + lvm_uuid(letter) +
                     "\"\nseqno = " + std::to_string(seqno) +
                     "\nformat = \"lvm2\"\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nextent_size = 8\n"
                     "physical_volumes {\n";
  for (const char pv : physical) {
    text += std::string(1, pv) + " {\nid = \"" + lvm_uuid(pv) +
            "\"\nstatus = [\"ALLOCATABLE\"]\ndev_size = 2048\npe_start = 128\npe_count = 16\n}\n";
  }
  return text + "}\nlogical_volumes {\n" + std::string(logical) + "}\n}\n";
}

/// A logical volume of one segment of so many extents.
inline std::string lvm_volume(std::string_view name, int extents, std::string_view segment,
                              std::string_view status = "\"READ\", \"WRITE\", \"VISIBLE\"") {
  return std::string(name) + " {\nid = \"" + lvm_uuid('l') + "\"\nstatus = [" + std::string(status) +
         "]\nsegment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = " + std::to_string(extents) +
         "\n" + std::string(segment) + "\n}\n}\n";
}

/// The segment of a volume that lies in a row.
inline std::string lvm_linear(std::string_view place, int extent) {
  return "type = \"striped\"\nstripe_count = 1\nstripes = [\"" + std::string(place) + "\", " +
         std::to_string(extent) + "]";
}

}  // namespace vmfs::testing
