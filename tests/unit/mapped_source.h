// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "formats/source.h"

namespace vmfs::test {

/// Remembers what was asked of another source. For one thread.
class MappedSource final : public Source {
 public:
  explicit MappedSource(std::shared_ptr<const Source> below)
      : Source(below->size()), below_(std::move(below)) {}

  /// What was asked for since the last call.
  [[nodiscard]] std::vector<Piece> take() const { return std::exchange(asked_, {}); }

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    asked_.push_back({.offset = offset, .size = max_length});
    return below_->map(offset, max_length);
  }

  const std::shared_ptr<const Source> below_;
  mutable std::vector<Piece> asked_;
};

}  // namespace vmfs::test
