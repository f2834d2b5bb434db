// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

#include "formats/result.h"

namespace vmfs::qcow2 {

/// A bounded cache of decoded clusters, the least recently used one leaving first. A cluster that several
/// threads want at once is decoded by one of them while the others wait. No lock is held while decoding.
/// Safe for concurrent use by multiple threads.
class ClusterCache {
 public:
  /// Fills a cluster. Called without any lock.
  using Fill = std::function<Result<void>(std::span<std::byte>)>;

  ClusterCache(std::size_t cluster_size, std::size_t budget);

  /// Copies the bytes at `skip` of the cluster `key` into `into`; skip + into.size() <= cluster size.
  /// A whole cluster that is not here goes straight into `into` without being kept.
  [[nodiscard]] Result<void> read(std::uint64_t key, std::size_t skip, std::span<std::byte> into,
                                  const Fill& fill);

 private:
  struct Entry {
    enum State : int { pending, ready, failed };
    std::atomic<int> state{pending};
    std::unique_ptr<std::byte[]> bytes;
    Error error{};  ///< valid when failed
  };
  struct Place {
    std::shared_ptr<Entry> entry;
    std::list<std::uint64_t>::iterator age;
  };

  [[nodiscard]] std::shared_ptr<Entry> find(std::uint64_t key, bool& created, bool create);
  void complete(std::uint64_t key, Entry& entry, const Fill& fill);
  void forget(std::uint64_t key);

  const std::size_t cluster_size_;
  const std::size_t capacity_;  ///< clusters
  std::mutex mutex_;            ///< guards the two below
  std::unordered_map<std::uint64_t, Place> places_;
  std::list<std::uint64_t> ages_;  ///< keys, most recently used first
};

}  // namespace vmfs::qcow2
