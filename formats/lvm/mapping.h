// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "formats/source.h"

namespace vmfs::lvm {

/// Other sources one after the other.
class ConcatSource final : public Source {
 public:
  /// A source alone is returned as it is. Errors: EFBIG where the sizes overflow.
  [[nodiscard]] static Result<std::shared_ptr<const Source>> create(
      std::vector<std::shared_ptr<const Source>> parts);

 private:
  struct Part {
    std::uint64_t start = 0;
    std::shared_ptr<const Source> source;
  };
  ConcatSource(std::uint64_t size, std::vector<Part> parts) : Source(size), parts_(std::move(parts)) {}

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;

  const std::vector<Part> parts_;  ///< in order of `start`, the first at 0, none empty
};

/// Stripes of `stripe_size` bytes taken from each of several sources in turn.
class StripeSource final : public Source {
 public:
  /// Errors: EUCLEAN where the sources' sizes differ or are no multiple of the stripe size; EFBIG.
  [[nodiscard]] static Result<std::shared_ptr<const Source>> create(
      std::vector<std::shared_ptr<const Source>> legs, std::uint64_t stripe_size);

 private:
  StripeSource(std::uint64_t size, std::vector<std::shared_ptr<const Source>> legs, std::uint64_t stripe_size)
      : Source(size), legs_(std::move(legs)), stripe_size_(stripe_size) {}

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;

  const std::vector<std::shared_ptr<const Source>> legs_;
  const std::uint64_t stripe_size_;
};

/// Nothing but zeros.
class ZeroSource final : public Source {
 public:
  using Source::Source;

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t /*offset*/, std::uint64_t max_length) const override {
    return Extent::zero(max_length);
  }
};

}  // namespace vmfs::lvm
