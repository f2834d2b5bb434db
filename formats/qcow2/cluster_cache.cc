// SPDX-License-Identifier: MIT
#include "formats/qcow2/cluster_cache.h"

#include <algorithm>
#include <cerrno>
#include <new>

namespace vmfs::qcow2 {

ClusterCache::ClusterCache(std::size_t cluster_size, std::size_t budget)
    : cluster_size_(cluster_size), capacity_(std::max<std::size_t>(4, budget / cluster_size)) {}

Result<void> ClusterCache::read(std::uint64_t key, std::size_t skip, std::span<std::byte> into,
                                const Fill& fill) {
  const bool whole = into.size() == cluster_size_;
  bool created = false;
  const auto entry = find(key, created, !whole);
  if (!entry) return fill(into);
  if (created) complete(key, *entry, fill);
  entry->state.wait(Entry::pending, std::memory_order_acquire);
  if (entry->state.load(std::memory_order_acquire) == Entry::failed) return std::unexpected(entry->error);
  std::ranges::copy(std::span(entry->bytes.get(), cluster_size_).subspan(skip, into.size()), into.begin());
  return {};
}

std::shared_ptr<ClusterCache::Entry> ClusterCache::find(std::uint64_t key, bool& created, bool create) {
  const std::lock_guard lock(mutex_);
  if (const auto found = places_.find(key); found != places_.end()) {
    ages_.splice(ages_.begin(), ages_, found->second.age);
    return found->second.entry;
  }
  if (!create) return nullptr;
  if (places_.size() >= capacity_) {
    places_.erase(ages_.back());
    ages_.pop_back();
  }
  ages_.push_front(key);
  created = true;
  return places_.emplace(key, Place{std::make_shared<Entry>(), ages_.begin()}).first->second.entry;
}

void ClusterCache::complete(std::uint64_t key, Entry& entry, const Fill& fill) {
  entry.bytes.reset(new (std::nothrow) std::byte[cluster_size_]);
  const Result<void> done =
      entry.bytes ? fill({entry.bytes.get(), cluster_size_}) : fail(ENOMEM, "no memory for a cluster");
  if (!done) {
    entry.error = done.error();
    forget(key);
  }
  entry.state.store(done ? Entry::ready : Entry::failed, std::memory_order_release);
  entry.state.notify_all();
}

/// A failure is not kept: the next reader tries again.
void ClusterCache::forget(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = places_.find(key); found != places_.end()) {
    ages_.erase(found->second.age);
    places_.erase(found);
  }
}

}  // namespace vmfs::qcow2
