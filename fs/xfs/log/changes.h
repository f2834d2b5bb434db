// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

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
  [[nodiscard]] std::uint64_t size() const { return sectors_.size() * sector_size; }

  /// What changed, by offset, neighbours as one. Leaves nothing here.
  struct Run {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::vector<Run> take_runs();

 private:
  using Sector = std::array<std::byte, sector_size>;

  [[nodiscard]] Result<void> check(std::uint64_t offset, std::size_t length) const;
  [[nodiscard]] Result<Sector*> sector(std::uint64_t number, bool whole);

  const Source& volume_;
  const std::uint64_t limit_;
  std::uint64_t written_ = 0;
  std::deque<Sector> sectors_;
  std::unordered_map<std::uint64_t, Sector*> index_;  // by number
};

}  // namespace vmfs::xfs
