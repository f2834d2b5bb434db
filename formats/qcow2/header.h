// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "formats/qcow2/geometry.h"
#include "formats/source.h"

namespace vmfs::qcow2 {

/// The largest L1 table that QEMU accepts, in bytes.
constexpr std::uint64_t max_l1_size = std::uint64_t{32} << 20;

/// How compressed clusters are packed.
enum class Compression : std::uint8_t { deflate, zstd };

/// A table of the image file.
struct Table {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
};

/// What the header and its extensions say, checked.
struct Header {
  Geometry geometry;
  std::uint64_t size = 0;  ///< bytes of the virtual disk, whole sectors
  Table l1;                ///< aligned and inside the file, at most max_l1_size bytes
  Table snapshots;         ///< unchecked: read_snapshots() does
  Compression compression = Compression::deflate;
  bool encrypted = false;  ///< by AES; other methods are refused
  bool dirty = false;
  bool corrupt = false;
  bool lazy_refcounts = false;
  bool data_file_raw = false;
  std::uint64_t refcount_bits = 16;
  std::string backing_name;    ///< empty if none
  std::string backing_format;  ///< empty if the image does not say
  std::string data_file_name;  ///< empty if none or if the image does not say
};

/// Reads the header of a version 2 or 3 image with its extensions.
/// Errors: EUCLEAN for broken fields; EOPNOTSUPP for versions, encryption and incompatible features that
/// cannot be read, by name.
[[nodiscard]] Result<Header> read_header(const Source& file);

/// Reads the header of a QCOW version 1 image. Errors as above.
[[nodiscard]] Result<Header> read_header_v1(const Source& file);

/// A string field of at most 1023 bytes in the image file, cut at a NUL as QEMU does. Errors: EUCLEAN.
[[nodiscard]] Result<std::string> read_name(const Source& file, std::uint64_t offset, std::uint64_t length,
                                            const char* field);

/// Refuses a table that is too large, not aligned to `alignment` (a power of two) or not inside the file.
[[nodiscard]] Result<void> check_table(const Source& file, const Table& table, std::uint64_t max_size,
                                       std::uint64_t alignment, const char* name);

}  // namespace vmfs::qcow2
