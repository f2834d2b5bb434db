// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "formats/endian.h"

namespace vmfs::lvm {

/// What LVM counts sectors and extents in, whatever the disk's own sectors are.
constexpr std::uint64_t sector_size = 512;

/// The checksum of labels, metadata headers and metadata texts (lib/misc/crc.c): CRC-32 without the
/// inversions.
[[nodiscard]] std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t initial = 0xf597a6cf);

/// 32 letters and digits as they lie on disk.
struct Id {
  std::array<char, 32> letters;

  /// With hyphens, as the tools and the metadata's text write it: 6-4-4-4-4-4-6.
  [[nodiscard]] std::string text() const;
};
static_assert(sizeof(Id) == 32);

/// `struct label_header`, in one of the first four sectors.
struct LabelHeader {
  std::array<char, 8> id;    ///< "LABELONE"
  le64 sector_xl;            ///< which sector it lies in
  le32 crc_xl;               ///< of the sector from offset_xl on
  le32 offset_xl;            ///< bytes from the label to PvHeader
  std::array<char, 8> type;  ///< "LVM2 001"
};
static_assert(sizeof(LabelHeader) == 32);

/// `struct disk_locn`: a part of the device. A list of them ends by one whose offset is 0.
struct DiskLocation {
  le64 offset;
  le64 size;  ///< bytes; 0: to the end of the device
};
static_assert(sizeof(DiskLocation) == 16);

/// `struct pv_header`. Two lists of DiskLocation follow: data areas, then metadata areas.
struct PvHeader {
  Id pv_uuid;
  le64 device_size_xl;  ///< bytes
};
static_assert(sizeof(PvHeader) == 40);

/// `struct raw_locn`: a text in a metadata area.
struct RawLocation {
  le64 offset;  ///< bytes from the start of the area; 0: none
  le64 size;    ///< bytes, the final zero included
  le32 checksum;
  le32 flags;
};
static_assert(sizeof(RawLocation) == 24);

/// `struct mda_header`, the first sector of a metadata area. The rest is a ring of texts.
struct MdaHeader {
  le32 checksum_xl;            ///< of the rest of this sector
  std::array<char, 16> magic;  ///< " LVM2 x[5A%r0N*>"
  le32 version;
  le64 start;                            ///< bytes from the start of the device
  le64 size;                             ///< bytes, this header included
  std::array<RawLocation, 4> raw_locns;  ///< the first is the text in force
};
static_assert(sizeof(MdaHeader) == 136);

/// Bytes that MdaHeader takes on disk.
constexpr std::uint64_t mda_header_size = 512;

}  // namespace vmfs::lvm
