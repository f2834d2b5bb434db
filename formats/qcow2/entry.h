// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "formats/qcow2/geometry.h"
#include "formats/result.h"

namespace vmfs::qcow2 {

/// What an L2 entry says of one cluster, in all versions of the format.
struct Cluster {
  enum class Kind : std::uint8_t {
    standard,    ///< each subcluster is allocated, zero or neither (then the backing file's)
    compressed,  ///< as a whole; `host` is the descriptor
    invalid,     ///< the entry breaks the rules of the format
  };

  Kind kind = Kind::standard;
  std::uint32_t allocated =
      0;                   ///< bit per subcluster; bit 0 stands for the whole cluster without subclusters
  std::uint32_t zero = 0;  ///< likewise
  std::uint64_t host = 0;  ///< standard: offset in the file that holds the data
};

/// Where a compressed cluster lies in the image file.
struct Packed {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< an upper bound: versions 2 and 3 count sectors
};

/// Decodes an L2 entry; `bitmap` is its second word, 0 without extended L2 entries.
[[nodiscard]] Cluster parse_entry(const Geometry& geometry, std::uint64_t entry, std::uint64_t bitmap);

/// Decodes the descriptor of a compressed cluster.
[[nodiscard]] Packed parse_descriptor(const Geometry& geometry, std::uint64_t descriptor);

/// Offset of the L2 table that an L1 entry names, 0 for none. Errors: EUCLEAN for reserved bits and
/// misalignment.
[[nodiscard]] Result<std::uint64_t> parse_l1_entry(const Geometry& geometry, std::uint64_t entry);

}  // namespace vmfs::qcow2
