// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

#include "formats/source.h"
#include "tests/tools/sparse_image.h"

namespace vmfs::tests {

/// Remembers what is read of another source.
class Recorder final : public Source {
 public:
  explicit Recorder(std::shared_ptr<const Source> disk) : Source(disk->size()), disk_(std::move(disk)) {}

  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> parts() const {
    std::map<std::uint64_t, std::uint64_t> parts;
    for (const auto& [offset, end] : ranges_) {
      if (!parts.empty() && offset <= parts.rbegin()->first + parts.rbegin()->second)
        parts.rbegin()->second = std::max(parts.rbegin()->second, end - parts.rbegin()->first);
      else
        parts[offset] = end - offset;
    }
    return parts;
  }

 private:
  static constexpr std::uint64_t unit = SparseImage::unit;

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint64_t start = offset / unit * unit;
    const std::uint64_t end = (offset + max_length + unit - 1) / unit * unit;
    auto& known = ranges_[start];
    known = std::max(known, end);
    return disk_->map(offset, max_length);
  }

  const std::shared_ptr<const Source> disk_;
  mutable std::map<std::uint64_t, std::uint64_t> ranges_;  // start to end
};

}  // namespace vmfs::tests
