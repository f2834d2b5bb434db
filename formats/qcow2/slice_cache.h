// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "formats/image_cache.h"

namespace vmfs::qcow2 {

/// Words of a slice. They are atomic because a reader may see a slice while another thread replaces it.
using Slice = std::span<const std::atomic<std::uint64_t>>;

/// A bounded cache of slices of L2 tables, keyed by their offset in the image file. A hit takes no lock and
/// writes nothing, so that readers do not disturb each other: each slot carries a sequence number that is odd
/// while the slot is being filled, and a reader that sees it change throws its answer away.
/// Safe for concurrent use by multiple threads.
class SliceCache {
 public:
  /// Slices of `words` words (a power of two), up to about `most` bytes of them, which are taken from
  /// `budget` as they are filled. It must live as long as the cache.
  SliceCache(std::size_t words, std::size_t most, MemoryBudget& budget);
  ~SliceCache();
  SliceCache(const SliceCache&) = delete;
  SliceCache& operator=(const SliceCache&) = delete;

  /// Calls `visit(Slice)` if the slice at `key` is here; false if it is not, or was replaced meanwhile (then
  /// what `visit` computed is worthless). `visit` may see torn slices and must not trust their words.
  template <class Visit>
  bool visit(std::uint64_t key, const Visit& visit) const {
    for (const Slot& slot : set_of(key)) {
      const std::uint32_t sequence = slot.sequence.load(std::memory_order_acquire);
      if (slot.key.load(std::memory_order_acquire) != key || sequence % 2 != 0) continue;
      const auto* words = slot.words.load(std::memory_order_acquire);
      visit(Slice(words, words_));
      // The visit's loads acquire, so this load cannot move before them.
      return slot.sequence.load(std::memory_order_relaxed) == sequence;
    }
    return false;
  }

  /// Puts the slice at `key` (not 0) in, replacing another one. Does nothing where memory or budget is short.
  void insert(std::uint64_t key, Slice slice);

 private:
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t stripes = 64;

  struct Slot {
    std::atomic<std::uint32_t> sequence{0};
    std::atomic<std::uint64_t> key{0};
    std::atomic<std::atomic<std::uint64_t>*> words{nullptr};  ///< once set, it stays
  };

  [[nodiscard]] std::size_t set_index(std::uint64_t key) const;
  [[nodiscard]] std::span<const Slot, ways> set_of(std::uint64_t key) const {
    return std::span<const Slot, ways>(&slots_[set_index(key) * ways], ways);
  }
  Slot& victim(std::uint64_t key, std::size_t set);

  [[nodiscard]] std::size_t slice_size() const { return words_ * sizeof(std::uint64_t); }

  const std::size_t words_;
  MemoryBudget& budget_;
  const std::size_t sets_;  ///< a power of two
  std::vector<Slot> slots_;
  std::vector<std::uint8_t> next_victim_;  ///< by set
  std::array<std::mutex, stripes> filling_;
};

}  // namespace vmfs::qcow2
