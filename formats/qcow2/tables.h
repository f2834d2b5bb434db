// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "formats/image_cache.h"
#include "formats/qcow2/geometry.h"
#include "formats/qcow2/header.h"
#include "formats/qcow2/slice_cache.h"
#include "formats/source.h"

namespace vmfs::qcow2 {

/// A run of bytes of the virtual disk that the tables describe alike.
struct Run {
  enum class Kind : std::uint8_t { unallocated, zero, data, compressed };

  Kind kind = Kind::unallocated;
  std::uint64_t length = 0;  ///< bytes, at least 1
  /// data: offset in the file that holds the data; compressed: the descriptor of the first cluster
  std::uint64_t host = 0;
};

/// The L1 table, in memory, and the L2 tables behind a cache. Safe for concurrent use by multiple threads.
class Tables {
 public:
  /// Reads the L1 table at `l1`, which was checked to be inside `file`, as far as a disk of `disk_size` bytes
  /// needs it. Slices of L2 tables are kept as far as `budget` goes, which must
  /// live as long.
  [[nodiscard]] static Result<std::unique_ptr<const Tables>> read(std::shared_ptr<const Source> file,
                                                                  const Geometry& geometry, const Table& l1,
                                                                  std::uint64_t disk_size,
                                                                  MemoryBudget& budget);

  /// The run that begins at `offset` of the disk, at most `max_length` (> 0) long and never past the slice of
  /// the L2 table that describes `offset`. Errors: EUCLEAN for a broken entry; EIO.
  [[nodiscard]] Result<Run> find(std::uint64_t offset, std::uint64_t max_length) const;

 private:
  Tables(std::shared_ptr<const Source> file, const Geometry& geometry, std::vector<std::uint64_t> l1,
         MemoryBudget& budget);

  [[nodiscard]] Run find_absent(std::uint64_t offset, std::uint64_t max_length) const;
  [[nodiscard]] Result<void> load(std::uint64_t key, std::span<std::atomic<std::uint64_t>> slice) const;

  const std::shared_ptr<const Source> file_;
  const Geometry geometry_;
  const std::vector<std::uint64_t> l1_;
  const std::size_t slice_words_;
  mutable SliceCache cache_;
};

}  // namespace vmfs::qcow2
