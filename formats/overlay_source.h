// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "formats/source.h"

namespace vmfs {

/// Another source with some of its runs replaced: by runs that lie elsewhere in it or in a third source, or
/// by bytes in memory. What a replayed journal is made of. One thread makes the changes and may read in
/// between; from when the source is shared, as `std::shared_ptr<const Source>`, it is immutable and as safe
/// as any other.
class OverlaySource final : public Source {
 public:
  /// Without changes: as `base`, of its size.
  explicit OverlaySource(std::shared_ptr<const Source> base) : Source(base->size()), base_(std::move(base)) {}

  /// Lets the `length` bytes at `offset` live at `base_offset` of the base, whatever they were before; at
  /// `offset` itself they are the base's own again. Errors: EINVAL (not inside the base).
  [[nodiscard]] Result<void> place(std::uint64_t offset, std::uint64_t length, std::uint64_t base_offset);
  /// The same at `other_offset` of another source. Errors: EINVAL (not inside the base, or the other).
  [[nodiscard]] Result<void> place(std::uint64_t offset, std::uint64_t length,
                                   std::shared_ptr<const Source> other, std::uint64_t other_offset);

  /// Replaces the bytes from `offset`, whatever they were before. `bytes` lives, unchanged, as long as
  /// `owner` does. Errors: EINVAL (not inside the base).
  [[nodiscard]] Result<void> put(std::uint64_t offset, std::span<const std::byte> bytes,
                                 std::shared_ptr<const void> owner);
  [[nodiscard]] Result<void> put(std::uint64_t offset, std::vector<std::byte> bytes);

  /// How many bytes are held in memory.
  [[nodiscard]] std::uint64_t memory() const { return memory_; }

 private:
  /// `length` bytes that begin at a key of the map; no run overlaps another.
  struct Run {
    std::uint64_t length = 0;
    std::uint64_t base_offset = 0;  ///< where `bytes` is null: in the base, or in `other`
    const Source* other = nullptr;
    const std::byte* bytes = nullptr;   ///< `length` of them
    std::shared_ptr<const void> owner;  ///< of `bytes` or `other`

    [[nodiscard]] bool in_memory() const { return bytes != nullptr; }
    [[nodiscard]] Run part(std::uint64_t skip, std::uint64_t size) const;
  };
  using Runs = std::map<std::uint64_t, Run>;

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;
  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override;

  void add_placed(std::uint64_t offset, Run run);

  /// The first run that ends behind `offset`.
  [[nodiscard]] Runs::const_iterator run_at(std::uint64_t offset) const;

  /// Leaves no run between `offset` and `end`.
  void clear(std::uint64_t offset, std::uint64_t end);

  const std::shared_ptr<const Source> base_;
  Runs runs_;
  std::uint64_t memory_ = 0;
};

}  // namespace vmfs
