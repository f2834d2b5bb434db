// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/source.h"

namespace vmfs {

/// Compares files of two images. Ranges that both have in the same place of the same host file, a common
/// backing file of overlays for one, are equal without being read, and so are holes of both.
class ContentComparer {
 public:
  /// `tick` is called with the number of bytes that were compared or skipped, now and then.
  explicit ContentComparer(std::function<void(std::uint64_t)> tick) : tick_(std::move(tick)) {}

  /// Whether all bytes are the same. Errors: as Source::map() and read().
  [[nodiscard]] Result<bool> same(const Source& a, const Source& b);

  /// Bytes that had to be read, of each side.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  /// A host file: st_dev and st_ino.
  using HostFile = std::pair<std::uint64_t, std::uint64_t>;

  [[nodiscard]] bool same_place(const Extent& a, const Extent& b);
  [[nodiscard]] Result<HostFile> host_file(int fd);
  [[nodiscard]] Result<bool> same_bytes(const Source& a, const Source& b, std::uint64_t offset,
                                        std::uint64_t length);

  std::function<void(std::uint64_t)> tick_;
  std::unordered_map<int, HostFile> files_;
  std::vector<std::byte> buffers_[2];
  std::uint64_t bytes_read_ = 0;
};

}  // namespace vmfs
