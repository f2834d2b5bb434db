// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace vmfs::qcow2 {

/// How offsets of the virtual disk break up into indices of the tables. All values are checked by whoever
/// parsed the header: no shift below can overflow.
struct Geometry {
  unsigned version = 3;        ///< 1 (QCOW), 2 or 3
  unsigned cluster_bits = 16;  ///< 9 to 21
  unsigned l2_bits = 13;       ///< log2 of the entries of an L2 table
  bool extended_l2 = false;    ///< 32 subclusters a cluster, two words an entry
  bool external_data = false;  ///< the guest's data lie in a file of their own, each byte at its own offset

  [[nodiscard]] std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
  [[nodiscard]] unsigned subclusters() const { return extended_l2 ? 32 : 1; }
  [[nodiscard]] unsigned subcluster_bits() const { return cluster_bits - (extended_l2 ? 5 : 0); }
  /// Words of 8 bytes in an L2 entry.
  [[nodiscard]] unsigned entry_words() const { return extended_l2 ? 2 : 1; }
  /// Bytes of an L2 table.
  [[nodiscard]] std::uint64_t l2_size() const { return std::uint64_t{8} * entry_words() << l2_bits; }
  /// log2 of the bytes of the disk that one L1 entry covers.
  [[nodiscard]] unsigned l1_shift() const { return cluster_bits + l2_bits; }
  /// L1 entries that `size` bytes of disk need.
  [[nodiscard]] std::uint64_t l1_entries(std::uint64_t size) const {
    return size == 0 ? 0 : ((size - 1) >> l1_shift()) + 1;
  }
};

}  // namespace vmfs::qcow2
