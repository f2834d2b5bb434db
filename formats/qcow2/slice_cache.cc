// SPDX-License-Identifier: MIT
#include "formats/qcow2/slice_cache.h"

#include <algorithm>
#include <bit>
#include <new>

namespace vmfs::qcow2 {

SliceCache::SliceCache(std::size_t words, std::size_t most, MemoryBudget& budget)
    : words_(words),
      budget_(budget),
      sets_(std::bit_floor(std::max<std::size_t>(1, std::min(most, budget.left()) / (slice_size() * ways)))),
      slots_(sets_ * ways),
      next_victim_(sets_) {}

SliceCache::~SliceCache() {
  for (Slot& slot : slots_) {
    const auto* words = slot.words.load(std::memory_order_relaxed);
    if (words != nullptr) budget_.give_back(slice_size());
    delete[] words;
  }
}

std::size_t SliceCache::set_index(std::uint64_t key) const {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;  // spreads slices that lie at regular distances
  return static_cast<std::size_t>((key * golden) >> 32) & (sets_ - 1);
}

SliceCache::Slot& SliceCache::victim(std::uint64_t key, std::size_t set) {
  const std::span<Slot, ways> slots(&slots_[set * ways], ways);
  for (Slot& slot : slots) {
    if (slot.key.load(std::memory_order_relaxed) == key) return slot;
  }
  return slots[next_victim_[set]++ % ways];
}

void SliceCache::insert(std::uint64_t key, Slice slice) {
  const std::size_t set = set_index(key);
  const std::lock_guard lock(filling_[set % stripes]);
  Slot& slot = victim(key, set);
  if (slot.key.load(std::memory_order_relaxed) == key) return;  // another thread was faster
  auto* words = slot.words.load(std::memory_order_relaxed);
  if (words == nullptr) {
    if (!budget_.take(slice_size())) return;
    words = new (std::nothrow) std::atomic<std::uint64_t>[words_];
    if (words == nullptr) return budget_.give_back(slice_size());
    slot.words.store(words, std::memory_order_release);
  }
  const std::uint32_t sequence = slot.sequence.load(std::memory_order_relaxed);
  slot.sequence.store(sequence + 1, std::memory_order_relaxed);
  // Released, so that whoever sees one of these stores sees the odd sequence number too.
  slot.key.store(key, std::memory_order_release);
  for (std::size_t i = 0; i < words_; ++i)
    words[i].store(slice[i].load(std::memory_order_relaxed), std::memory_order_release);
  slot.sequence.store(sequence + 2, std::memory_order_release);
}

}  // namespace vmfs::qcow2
