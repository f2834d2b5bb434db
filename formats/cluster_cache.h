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
#include <vector>

#include "formats/result.h"

namespace vmfs {

/// Names a cluster, all of whose disk are of one size.
struct ClusterName {
  std::uint64_t disk = 0;  ///< from ClusterCache::add_disk()
  std::uint64_t number = 0;
  std::size_t size = 0;  ///< bytes

  bool operator==(const ClusterName&) const = default;
};

/// A bounded cache of decoded clusters of any number of disks, the least recently used one leaving first. A
/// cluster that several threads want at once is decoded by one of them while the others wait. No lock is held
/// while decoding or copying. Safe for concurrent use by multiple threads.
class ClusterCache {
 public:
  /// Fills a cluster. Called without any lock.
  using Fill = std::function<Result<void>(std::span<std::byte>)>;

  /// Keeps at most `budget` bytes of clusters; what threads are working with at the moment comes on top.
  explicit ClusterCache(std::size_t budget) : budget_(budget) {}

  /// A number for a disk, which no other has.
  [[nodiscard]] std::uint64_t add_disk() { return ++disks_; }

  /// Copies the bytes at `skip` of a cluster into `into`; skip + into.size() <= its size. True if the cluster
  /// was not read since it came into the cache. Errors: those of `fill`, ENOMEM.
  [[nodiscard]] Result<bool> read(const ClusterName& name, std::size_t skip, std::span<std::byte> into,
                                  const Fill& fill);

  /// The numbers of clusters to fetch() ahead, now that `name` was read for the first time: where those
  /// before it were read too, its disk is being read in order, and as many of those behind it are wanted soon
  /// as `most` and the budget allow. None twice.
  [[nodiscard]] std::vector<std::uint64_t> expect_behind(const ClusterName& name, std::size_t most);

  /// Fills a cluster that expect_behind() named, unless a reader came first, or nobody wants it any more.
  void fetch(const ClusterName& name, const Fill& fill);

  /// Bytes of clusters that are kept.
  [[nodiscard]] std::size_t held() const;

 private:
  struct Entry {
    enum State : int { expected, pending, ready, failed };
    std::atomic<int> state{pending};
    std::atomic<int> readers{0};  ///< grows under the cache's mutex only
    bool used = false;            ///< a reader came; guarded by the cache's mutex
    std::unique_ptr<std::byte[]> bytes;
    Error error{};  ///< valid when failed
  };
  struct Place {
    std::shared_ptr<Entry> entry;
    std::list<ClusterName>::iterator age;
  };
  struct Hash {
    std::size_t operator()(const ClusterName& name) const {
      return static_cast<std::size_t>((name.number + (name.disk << 48)) * 0x9e3779b97f4a7c15);
    }
  };
  /// A reader's entry, and what is left to do with it.
  struct Found {
    std::shared_ptr<Entry> entry;  ///< null: there is no room
    bool first = false;            ///< it was not read before
    bool fill = false;             ///< the reader has to fill it
  };

  [[nodiscard]] Found find(const ClusterName& name);
  std::shared_ptr<Entry> insert(const ClusterName& name);
  [[nodiscard]] bool make_room(std::size_t size, std::unique_ptr<std::byte[]>& spare);
  [[nodiscard]] bool is_here(ClusterName name, std::uint64_t number) const;
  [[nodiscard]] bool was_read(ClusterName name, std::uint64_t number) const;
  void complete(const ClusterName& name, Entry& entry, const Fill& fill);
  void remove(const ClusterName& name, const Entry& entry);
  void erase(std::unordered_map<ClusterName, Place, Hash>::iterator place);

  const std::size_t budget_;
  std::atomic<std::uint64_t> disks_{0};
  mutable std::mutex mutex_;  ///< guards what follows
  std::unordered_map<ClusterName, Place, Hash> places_;
  std::list<ClusterName> ages_;  ///< most recently used first
  std::size_t held_ = 0;         ///< bytes of all in places_
  std::size_t unread_ = 0;       ///< bytes of those that no reader came for
};

}  // namespace vmfs
