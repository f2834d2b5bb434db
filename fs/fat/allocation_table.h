// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "fs/fat/boot_sector.h"

namespace vmfs::fat {

/// The file allocation table: for each cluster of a file the one that follows. The pages used last are kept.
/// Safe for concurrent use by multiple threads.
class AllocationTable {
 public:
  AllocationTable(const Source& volume, const Geometry& geometry) : volume_(volume), geometry_(geometry) {}

  /// The end of a chain, as follow() says it.
  static constexpr Cluster end = 0xffffffff;

  /// What follows a valid cluster: a valid one, or `end`. Errors: EIO, also for a chain that leads to a free
  /// cluster or out of the volume.
  [[nodiscard]] Result<Cluster> follow(Cluster cluster) const;

  /// How many clusters are free. Reads the whole table, but not its holes.
  [[nodiscard]] Result<std::uint64_t> count_free() const;

 private:
  static constexpr std::size_t page_size = 4096;
  static constexpr std::size_t slot_count = 64;
  struct Slot {
    std::mutex mutex;
    std::uint64_t page = ~std::uint64_t{0};
    std::array<std::byte, page_size> bytes;
  };

  /// Fills `into` from the table.
  [[nodiscard]] Result<void> read_cached(std::uint64_t offset, std::span<std::byte> into) const;
  /// The number that stands for a cluster, 0 where that is free.
  [[nodiscard]] Result<std::uint32_t> entry(Cluster cluster) const;

  const Source& volume_;
  const Geometry& geometry_;
  mutable std::array<Slot, slot_count> slots_;
};

/// A volume as everything here reads it.
struct Volume {
  Volume(std::shared_ptr<const Source> volume, const Geometry& where)
      : source(std::move(volume)), geometry(where), table(*source, geometry) {}

  const std::shared_ptr<const Source> source;
  const Geometry geometry;
  const AllocationTable table;
};

}  // namespace vmfs::fat
