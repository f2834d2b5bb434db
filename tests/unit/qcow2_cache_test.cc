// SPDX-License-Identifier: MIT
#include <atomic>
#include <cerrno>
#include <thread>

#include <gtest/gtest.h>

#include "formats/qcow2/cluster_cache.h"
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
  SliceCache cache(8, 4096);
  EXPECT_EQ(look(cache, 512), 0);
  insert(cache, 512);
  EXPECT_EQ(look(cache, 512), 1);
}

TEST(SliceCacheTest, StaysWithinItsBudget) {
  SliceCache cache(8, 4096);
  const int present = survivors(cache, 1000);
  EXPECT_GT(present, 32);
  EXPECT_LE(present, 64);
}

TEST(SliceCacheTest, NoReaderSeesATornSlice) {
  SliceCache cache(8, 1);  // one set: everything collides
  std::atomic<int> torn = 0;
  {
    const std::jthread one([&] { torn += torn_slices(cache, 1); });
    const std::jthread two([&] { torn += torn_slices(cache, 8); });
  }
  EXPECT_EQ(torn, 0);
}

TEST(ClusterCacheTest, DecodesOnceForAllReaders) {
  ClusterCache cache(512, 4096);
  std::atomic<int> decoded = 0;
  const auto fill = [&](std::span<std::byte> into) -> Result<void> {
    ++decoded;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ranges::fill(into, std::byte{9});
    return {};
  };
  const auto work = [&] {
    std::array<std::byte, 4> part{};
    EXPECT_TRUE(cache.read(1, 8, part, fill));
    EXPECT_EQ(part[3], std::byte{9});
  };
  {
    const std::jthread one(work);
    const std::jthread two(work);
    const std::jthread three(work);
  }
  EXPECT_EQ(decoded, 1);
}

TEST(ClusterCacheTest, FailureIsNotKept) {
  ClusterCache cache(512, 4096);
  int calls = 0;
  const auto fill = [&](std::span<std::byte>) -> Result<void> {
    if (++calls == 1) return fail(EIO, "damaged");
    return {};
  };
  std::array<std::byte, 4> part{};
  EXPECT_FALSE(cache.read(1, 0, part, fill));
  EXPECT_TRUE(cache.read(1, 0, part, fill));
}

TEST(ClusterCacheTest, ForgetsTheOldest) {
  ClusterCache cache(512, 1);  // four clusters, the least it takes
  int calls = 0;
  const auto fill = [&](std::span<std::byte>) -> Result<void> {
    ++calls;
    return {};
  };
  std::array<std::byte, 4> part{};
  EXPECT_TRUE(cache.read(1, 0, part, fill));
  EXPECT_TRUE(cache.read(2, 0, part, fill));
  EXPECT_TRUE(cache.read(3, 0, part, fill));
  EXPECT_TRUE(cache.read(4, 0, part, fill));
  EXPECT_TRUE(cache.read(5, 0, part, fill));
  EXPECT_TRUE(cache.read(5, 0, part, fill));
  EXPECT_EQ(calls, 5);
  EXPECT_TRUE(cache.read(1, 0, part, fill));
  EXPECT_EQ(calls, 6);
}

}  // namespace
}  // namespace vmfs::qcow2
