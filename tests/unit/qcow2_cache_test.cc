// SPDX-License-Identifier: MIT
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "formats/qcow2/slice_cache.h"

namespace vmfs::qcow2 {
namespace {

using Words = std::array<std::atomic<std::uint64_t>, 8>;

void insert(SliceCache& cache, std::uint64_t key) {
  Words words;
  for (auto& word : words) word = key;
  cache.insert(key, words);
}

/// 1 if the slice `key` is there and whole, 0 if it is absent, -1 if a visit that counts saw another's words.
int look(const SliceCache& cache, std::uint64_t key) {
  bool whole = true;
  const bool valid = cache.visit(key, [&](Slice slice) {
    whole = true;
    for (const auto& word : slice) whole = whole && word.load(std::memory_order_acquire) == key;
  });
  if (!valid) return 0;
  return whole ? 1 : -1;
}

/// How many of `count` slices put into `cache` one after the other are there at the end.
int survivors(SliceCache& cache, std::uint64_t count) {
  for (std::uint64_t key = 1; key <= count; ++key) insert(cache, key);
  int present = 0;
  for (std::uint64_t key = 1; key <= count; ++key) present += look(cache, key);
  return present;
}

/// Puts slices in that replace each other, and counts the torn ones it sees.
int torn_slices(SliceCache& cache, std::uint64_t first) {
  int torn = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    insert(cache, first + i % 7);
    torn += look(cache, 1 + i % 14) < 0;
  }
  return torn;
}

TEST(SliceCacheTest, GivesWhatWasPutIn) {
  MemoryBudget budget(4096);
  SliceCache cache(8, 4096, budget);
  EXPECT_EQ(look(cache, 512), 0);
  insert(cache, 512);
  EXPECT_EQ(look(cache, 512), 1);
}

TEST(SliceCacheTest, StaysWithinItsBudget) {
  MemoryBudget budget(4096);
  SliceCache cache(8, 1 << 20, budget);
  const int present = survivors(cache, 1000);
  EXPECT_GT(present, 32);
  EXPECT_LE(present, 64);
}

TEST(SliceCacheTest, SharesItsBudgetAndGivesItBack) {
  MemoryBudget budget(4096);
  {
    SliceCache one(8, 2048, budget);
    SliceCache two(8, 4096, budget);
    const int present = survivors(one, 1000) + survivors(two, 1000);
    EXPECT_GT(present, 32);
    EXPECT_LE(present, 64);
    EXPECT_EQ(budget.left(), 4096 - static_cast<std::size_t>(present) * 64);
  }
  EXPECT_EQ(budget.left(), 4096U);
}

TEST(SliceCacheTest, WithoutABudgetNothingIsKept) {
  MemoryBudget budget(0);
  SliceCache cache(8, 4096, budget);
  insert(cache, 512);
  EXPECT_EQ(look(cache, 512), 0);
}

TEST(SliceCacheTest, NoReaderSeesATornSlice) {
  MemoryBudget budget(4096);
  SliceCache cache(8, 1, budget);  // one set: everything collides
  std::atomic<int> torn = 0;
  {
    const std::jthread one([&] { torn += torn_slices(cache, 1); });
    const std::jthread two([&] { torn += torn_slices(cache, 8); });
  }
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace vmfs::qcow2
