// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "formats/overlay_source.h"
#include "formats/source.h"

namespace vmfs::xfs {

/// A volume as it will be when what the log holds is in its place: the sectors that change, in memory. For
/// one thread.
class ChangedSectors {
 public:
  static constexpr std::size_t sector_size = 512;

  /// `volume` must outlive this. At most `limit` bytes are kept, and written in all some times as many.
  ChangedSectors(const Source& volume, std::uint64_t limit) : volume_(volume), limit_(limit) {}

  /// As read() of a source, with the changes. Errors: EUCLEAN (not inside the volume), EIO.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;
  template <class T>
  [[nodiscard]] Result<T> read_struct(std::uint64_t offset) const {
    std::byte bytes[sizeof(T)];
    if (auto done = read(offset, bytes); !done) return std::unexpected(std::move(done).error());
    return from_bytes<T>(bytes);
  }

  /// Changes bytes. Errors: EUCLEAN (not inside the volume, or more than the limit), EIO.
  [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
  template <class T>
  [[nodiscard]] Result<void> put(std::uint64_t offset, const T& value) {
    return write(offset, std::as_bytes(std::span(&value, 1)));
  }

  /// Bytes in memory.
  [[nodiscard]] std::uint64_t size() const { return sectors_ * sector_size; }

  /// Lays what changed over a source of the same volume, which takes the memory. Leaves nothing here. Errors:
  /// none.
  [[nodiscard]] Result<void> move_to(OverlaySource& overlay);

 private:
  using Sector = std::array<std::byte, sector_size>;
  static constexpr std::size_t sectors_of_page = 8;
  /// Neighbouring sectors, those that changed: most changes are of whole pages.
  using Page = std::array<Sector*, sectors_of_page>;
  static constexpr std::size_t sectors_of_slab = 128;
  using Slab = std::array<Sector, sectors_of_slab>;
  /// Sectors in the order in which they changed first; they stay where they are.
  using Slabs = std::vector<std::unique_ptr<Slab>>;

  [[nodiscard]] Result<void> check(std::uint64_t offset, std::size_t length) const;
  [[nodiscard]] Sector* find(std::uint64_t number) const;
  [[nodiscard]] Result<Sector*> sector(std::uint64_t number, bool whole);
  [[nodiscard]] Sector* new_sector();

  const Source& volume_;
  const std::uint64_t limit_;
  std::uint64_t written_ = 0;
  std::uint64_t sectors_ = 0;
  Slabs slabs_;
  std::unordered_map<std::uint64_t, Page> pages_;  // by number
};

}  // namespace vmfs::xfs
