// SPDX-License-Identifier: MIT
#include "formats/cluster_cache.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "formats/long_work.h"

namespace vmfs {
namespace {

/// Part of the budget that clusters may take before anybody reads them.
constexpr std::size_t unread_part = 4;

/// What is behind a cluster is wanted as far as what is before it was read, times this.
constexpr std::size_t growth = 2;

/// Part of a cluster for a reader who finds no room in the cache.
Result<void> fill_part(std::size_t size, std::size_t skip, std::span<std::byte> into,
                       const ClusterCache::Fill& fill) {
  if (into.size() == size) return fill(into);
  const std::unique_ptr<std::byte[]> bytes(new (std::nothrow) std::byte[size]);
  if (!bytes) return fail(ENOMEM, "no memory for a cluster");
  const std::span<std::byte> whole(bytes.get(), size);
  TRY(fill(whole));
  std::ranges::copy(whole.subspan(skip, into.size()), into.begin());
  return {};
}

}  // namespace

Result<bool> ClusterCache::read(const ClusterName& name, std::size_t skip, std::span<std::byte> into,
                                const Fill& fill) {
  const Found found = find(name);
  if (!found.entry) {
    TRY(fill_part(name.size, skip, into, fill));
    return false;
  }
  Entry& entry = *found.entry;
  if (found.fill) complete(name, entry, fill);
  if (entry.state.load(std::memory_order_acquire) == Entry::pending) announce_long_work();
  entry.state.wait(Entry::pending, std::memory_order_acquire);
  if (entry.state.load(std::memory_order_acquire) == Entry::failed) return std::unexpected(entry.error);
  std::ranges::copy(std::span(entry.bytes.get(), name.size).subspan(skip, into.size()), into.begin());
  entry.readers.fetch_sub(1, std::memory_order_release);
  return found.first;
}

std::vector<std::uint64_t> ClusterCache::expect_behind(const ClusterName& name, std::size_t most) {
  std::vector<std::uint64_t> expected;
  const std::lock_guard lock(mutex_);
  std::size_t before = 0;
  while (before < most && before < name.number && was_read(name, name.number - before - 1)) ++before;
  const std::size_t distance = std::min(most, before * growth);
  // Several at a time, so that those who fetch do not have to be woken for each.
  if (distance == 0 || is_here(name, name.number + (distance + 1) / 2)) return expected;
  for (std::size_t i = 1; i <= distance; ++i) {
    if (unread_ + name.size > budget_ / unread_part) break;
    const ClusterName next{.disk = name.disk, .number = name.number + i, .size = name.size};
    if (places_.contains(next)) continue;
    const auto entry = insert(next);
    if (!entry) break;
    entry->state.store(Entry::expected, std::memory_order_relaxed);
    unread_ += next.size;
    expected.push_back(next.number);
  }
  return expected;
}

void ClusterCache::fetch(const ClusterName& name, const Fill& fill) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(name);
    if (place == places_.end()) return;
    entry = place->second.entry;
    if (entry->state.load(std::memory_order_relaxed) != Entry::expected) return;
    entry->state.store(Entry::pending, std::memory_order_relaxed);
  }
  complete(name, *entry, fill);
}

std::size_t ClusterCache::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

ClusterCache::Found ClusterCache::find(const ClusterName& name) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(name);
  if (place == places_.end()) {
    auto entry = insert(name);
    if (entry) {
      entry->used = true;
      ++entry->readers;
    }
    return {.entry = std::move(entry), .first = true, .fill = true};
  }
  ages_.splice(ages_.begin(), ages_, place->second.age);
  const auto& entry = place->second.entry;
  ++entry->readers;
  Found found{.entry = entry, .first = !entry->used};
  if (found.first) unread_ -= name.size;
  entry->used = true;
  if (entry->state.load(std::memory_order_relaxed) == Entry::expected) {
    entry->state.store(Entry::pending, std::memory_order_relaxed);
    found.fill = true;
  }
  return found;
}

/// A pending entry; null where there is no room. Called with the lock held.
std::shared_ptr<ClusterCache::Entry> ClusterCache::insert(const ClusterName& name) {
  std::unique_ptr<std::byte[]> spare;
  if (!make_room(name.size, spare)) return nullptr;
  auto entry = std::make_shared<Entry>();
  entry->bytes = std::move(spare);
  ages_.push_front(name);
  places_.emplace(name, Place{entry, ages_.begin()});
  held_ += name.size;
  return entry;
}

/// Lets the oldest go, but for what is being filled. `spare` gets memory of theirs if it fits: fresh
/// pages cost. Called with the lock held.
bool ClusterCache::make_room(std::size_t size, std::unique_ptr<std::byte[]>& spare) {
  if (size > budget_) return false;
  for (auto age = ages_.end(); held_ + size > budget_ && age != ages_.begin();) {
    --age;
    const auto place = places_.find(*age);
    Entry& entry = *place->second.entry;
    if (entry.state.load(std::memory_order_acquire) == Entry::pending) continue;
    if (age->size == size && entry.readers.load(std::memory_order_acquire) == 0)
      spare = std::move(entry.bytes);
    age = std::next(age);
    erase(place);
  }
  return held_ + size <= budget_;
}

bool ClusterCache::is_here(ClusterName name, std::uint64_t number) const {
  name.number = number;
  return places_.contains(name);
}

bool ClusterCache::was_read(ClusterName name, std::uint64_t number) const {
  name.number = number;
  const auto place = places_.find(name);
  return place != places_.end() && place->second.entry->used;
}

void ClusterCache::complete(const ClusterName& name, Entry& entry, const Fill& fill) {
  Result<void> done;
  try {
    if (!entry.bytes) entry.bytes.reset(new std::byte[name.size]);
    done = fill({entry.bytes.get(), name.size});
  } catch (const std::bad_alloc&) {
    done = std::unexpected(Error{ENOMEM, "no memory"});  // short enough to need none
  }
  if (!done) {
    entry.error = std::move(done).error();
    remove(name, entry);
  }
  entry.state.store(done ? Entry::ready : Entry::failed, std::memory_order_release);
  entry.state.notify_all();
}

/// A failure is not kept: the next reader tries again.
void ClusterCache::remove(const ClusterName& name, const Entry& entry) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(name);
  if (place != places_.end() && place->second.entry.get() == &entry) erase(place);
}

/// Called with the lock held.
void ClusterCache::erase(std::unordered_map<ClusterName, Place, Hash>::iterator place) {
  const std::size_t size = place->first.size;
  held_ -= size;
  if (!place->second.entry->used) unread_ -= size;
  ages_.erase(place->second.age);
  places_.erase(place);
}

}  // namespace vmfs
