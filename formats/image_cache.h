// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "formats/cluster_cache.h"
#include "formats/result.h"
#include "formats/workers.h"

namespace vmfs {

/// Bytes that several may take from, never more than there are. Safe for concurrent use by multiple threads.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : left_(bytes) {}

  [[nodiscard]] bool take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void give_back(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

  /// Bytes nobody has taken.
  [[nodiscard]] std::size_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> left_;
};

/// What the images of a process keep in memory of what they have read, and the threads that decode ahead.
struct ImageCache {
  static constexpr std::size_t default_size = std::size_t{16} << 20;
  static constexpr std::size_t largest_size = std::size_t{1} << 30;

  /// Keeps at most `size` bytes: a quarter for tables that say where clusters lie, the rest for decoded
  /// clusters.
  explicit ImageCache(std::size_t size = default_size) : tables(size / 4), clusters(size - size / 4) {}

  MemoryBudget tables;
  ClusterCache clusters;
  Workers workers;  ///< last: they use the clusters
};

/// The size of a cache as qemu-img writes sizes: "8388608", "512K", "1.5M", "1G". Errors: EINVAL, with what
/// is wanted.
[[nodiscard]] Result<std::size_t> parse_cache_size(std::string_view text);

}  // namespace vmfs
