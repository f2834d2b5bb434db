// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fs/xfs/log/record_format.h"
#include "fs/xfs/superblock.h"

namespace vmfs::xfs {

/// The log as a ring of blocks of 512 bytes. Block numbers may be past its end, where it begins again. Keeps
/// the blocks it read last: for one thread only.
class Ring {
 public:
  /// The log inside `volume`, which must outlive the ring.
  /// Errors: EUCLEAN (not inside the volume, or too small to be one).
  [[nodiscard]] static Result<Ring> create(const Source& volume, const Geometry& geometry);

  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }
  /// Where a block lies in the volume, in bytes: for messages.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t block) const {
    return offset_ + block % blocks_ * log_block_size;
  }

  /// The bytes of a block, until the next call of any function.
  [[nodiscard]] Result<std::span<const std::byte>> block(std::uint64_t number) const;
  /// Fills `into`, whole blocks, from `first` on.
  [[nodiscard]] Result<void> read(std::uint64_t first, std::span<std::byte> into) const;
  /// How often the log had been filled when the block was written; 0: never was.
  [[nodiscard]] Result<std::uint32_t> cycle(std::uint64_t number) const;
  /// Whether a record starts here.
  [[nodiscard]] Result<bool> is_header(std::uint64_t number) const;

  /// The first block of [start, start + count) whose cycle is `wanted` (xlog_find_verify_cycle()).
  [[nodiscard]] Result<std::optional<std::uint64_t>> find_cycle(std::uint64_t start, std::uint64_t count,
                                                                std::uint32_t wanted) const;
  /// About the first block of cycle `wanted`, given that the last one has it and the first one has not
  /// (xlog_find_cycle_start()).
  [[nodiscard]] Result<std::uint64_t> start_of_cycle(std::uint32_t wanted) const;
  /// The `count`th record header going back from before `from`, or the last one met before `to` is passed, if
  /// any. With from == to the whole ring is searched.
  [[nodiscard]] Result<std::optional<std::uint64_t>> find_header_back(std::uint64_t from, std::uint64_t to,
                                                                      unsigned count) const;
  /// The first record header from `from` on, before `to`.
  [[nodiscard]] Result<std::optional<std::uint64_t>> find_header(std::uint64_t from, std::uint64_t to) const;

 private:
  Ring(const Source& volume, std::uint64_t offset, std::uint64_t blocks)
      : volume_(&volume), offset_(offset), blocks_(blocks) {}

  const Source* volume_;
  std::uint64_t offset_;
  std::uint64_t blocks_;
  mutable std::vector<std::byte> window_;
  mutable std::uint64_t window_start_ = 0;
};

/// The error for a damaged log; says where in the volume.
template <class... Arguments>
[[nodiscard]] std::unexpected<Error> bad_log(const Ring& ring, std::uint64_t block,
                                             fmt::format_string<Arguments...> format,
                                             Arguments&&... arguments) {
  return fail(EUCLEAN, "xfs: log block {} (byte {} of the volume): {}", block % ring.blocks(),
              ring.offset_of(block), fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace vmfs::xfs
