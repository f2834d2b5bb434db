// SPDX-License-Identifier: MIT
#include "formats/cluster_cache.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/image_cache.h"

namespace vmfs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t size = 512;

ClusterName named(std::uint64_t number, std::size_t bytes = size) {
  return {.disk = 1, .number = number, .size = bytes};
}

/// Counts the clusters that it fills.
class Filler {
 public:
  ClusterCache::Fill fill() {
    return [this](std::span<std::byte> into) -> Result<void> {
      ++calls;
      std::ranges::fill(into, std::byte{9});
      return {};
    };
  }
  std::atomic<int> calls = 0;
};

/// Reads a few bytes of a cluster: whether it was the first to do so.
bool touch(ClusterCache& cache, const ClusterName& name, Filler& filler) {
  std::array<std::byte, 4> part{};
  const auto first = cache.read(name, 8, part, filler.fill());
  EXPECT_TRUE(first);
  EXPECT_EQ(part[3], std::byte{9});
  return first.value_or(false);
}

TEST(ClusterCacheTest, DecodesOnceForParallelReaders) {
  ClusterCache cache(4096);
  std::atomic<int> decoded = 0;
  const auto fill = [&](std::span<std::byte> into) -> Result<void> {
    ++decoded;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::ranges::fill(into, std::byte{9});
    return {};
  };
  const auto work = [&] {
    std::array<std::byte, size> whole{};
    EXPECT_TRUE(cache.read(named(1), 0, whole, fill));
    EXPECT_EQ(whole[3], std::byte{9});
  };
  {
    const std::jthread one(work);
    const std::jthread two(work);
    const std::jthread three(work);
  }
  EXPECT_EQ(decoded, 1);
}

TEST(ClusterCacheTest, FailureIsNotKept) {
  ClusterCache cache(4096);
  Filler filler;
  std::array<std::byte, 4> part{};
  const auto broken = [](std::span<std::byte>) -> Result<void> { return fail(EIO, "damaged"); };
  const auto failed = cache.read(named(1), 0, part, broken);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, EIO);
  EXPECT_EQ(cache.held(), 0U);
  touch(cache, named(1), filler);
  EXPECT_EQ(filler.calls, 1);
}

TEST(ClusterCacheTest, ForgetsTheOldest) {
  ClusterCache cache(2 * size);
  Filler filler;
  touch(cache, named(1), filler);
  touch(cache, named(20), filler);
  touch(cache, named(1), filler);
  touch(cache, named(30), filler);
  EXPECT_EQ(filler.calls, 3);
  touch(cache, named(1), filler);
  EXPECT_EQ(filler.calls, 3);
  touch(cache, named(20), filler);
  EXPECT_EQ(filler.calls, 4);
}

TEST(ClusterCacheTest, HoldsNoMoreThanItsBudgetOfAnySizes) {
  ClusterCache cache(10'000);
  Filler filler;
  std::size_t most = 0;
  for (std::uint64_t number = 0; number < 200; ++number) {
    touch(cache, named(number, size << (number % 4)), filler);
    most = std::max(most, cache.held());
  }
  EXPECT_LE(most, 10'000U);
  EXPECT_GT(most, 5'000U);
}

TEST(ClusterCacheTest, WhatDoesNotFitIsReadWithoutBeingKept) {
  ClusterCache cache(size);
  Filler filler;
  touch(cache, named(1), filler);
  touch(cache, named(2, 2 * size), filler);
  touch(cache, named(2, 2 * size), filler);
  EXPECT_EQ(filler.calls, 3);
  EXPECT_EQ(cache.held(), size);
}

TEST(ClusterCacheTest, ReadersInOrderExpectMoreAndMore) {
  ClusterCache cache(1 << 20);
  Filler filler;
  EXPECT_TRUE(touch(cache, named(0), filler));
  EXPECT_THAT(cache.expect_behind(named(0), 8), IsEmpty());
  EXPECT_TRUE(touch(cache, named(1), filler));
  EXPECT_THAT(cache.expect_behind(named(1), 8), ElementsAre(2, 3));
  EXPECT_THAT(cache.expect_behind(named(1), 8), IsEmpty());
  EXPECT_TRUE(touch(cache, named(2), filler));
  EXPECT_THAT(cache.expect_behind(named(2), 8), ElementsAre(4, 5, 6));
  EXPECT_FALSE(touch(cache, named(2), filler));
}

TEST(ClusterCacheTest, ReadersHereAndThereExpectNothing) {
  ClusterCache cache(1 << 20);
  Filler filler;
  for (const std::uint64_t number : {50U, 10U, 90U, 30U, 12U, 52U}) {
    touch(cache, named(number), filler);
    EXPECT_THAT(cache.expect_behind(named(number), 8), IsEmpty());
  }
}

TEST(ClusterCacheTest, WhatIsExpectedTakesAQuarterAtMost) {
  ClusterCache cache(16 * size);
  Filler filler;
  for (std::uint64_t number = 0; number < 4; ++number) touch(cache, named(number), filler);
  EXPECT_THAT(cache.expect_behind(named(3), 8), ElementsAre(4, 5, 6, 7));
  touch(cache, named(100), filler);
  touch(cache, named(101), filler);
  EXPECT_THAT(cache.expect_behind(named(101), 8), IsEmpty());
  touch(cache, named(4), filler);
  EXPECT_THAT(cache.expect_behind(named(101), 8), ElementsAre(102));
}

TEST(ClusterCacheTest, FetchesWhatIsExpectedOnce) {
  ClusterCache cache(1 << 20);
  Filler filler;
  touch(cache, named(0), filler);
  touch(cache, named(1), filler);
  ASSERT_THAT(cache.expect_behind(named(1), 2), ElementsAre(2, 3));
  cache.fetch(named(2), filler.fill());
  cache.fetch(named(2), filler.fill());
  EXPECT_EQ(filler.calls, 3);
  EXPECT_TRUE(touch(cache, named(2), filler));
  EXPECT_EQ(filler.calls, 3);
  cache.fetch(named(7), filler.fill());
  EXPECT_EQ(filler.calls, 3);
}

TEST(ClusterCacheTest, AReaderDoesNotWaitForAFetchThatHasNotBegun) {
  ClusterCache cache(1 << 20);
  Filler filler;
  touch(cache, named(0), filler);
  touch(cache, named(1), filler);
  ASSERT_THAT(cache.expect_behind(named(1), 2), ElementsAre(2, 3));
  EXPECT_TRUE(touch(cache, named(2), filler));
  EXPECT_EQ(filler.calls, 3);
  cache.fetch(named(2), filler.fill());
  EXPECT_EQ(filler.calls, 3);
}

TEST(ClusterCacheTest, ParallelReadersWithoutRoomGetTheirBytes) {
  ClusterCache cache(2 * size);
  Filler filler;
  const auto work = [&](std::uint64_t first) {
    for (std::uint64_t i = 0; i < 2000; ++i) touch(cache, named(first + i % 5), filler);
  };
  {
    const std::jthread one(work, 1);
    const std::jthread two(work, 3);
    const std::jthread three(work, 5);
  }
  EXPECT_LE(cache.held(), 2 * size);
}

TEST(CacheSizeTest, IsUnderstoodAsQemuImgDoes) {
  EXPECT_EQ(parse_cache_size("0"), 0U);
  EXPECT_EQ(parse_cache_size("4096"), 4096U);
  EXPECT_EQ(parse_cache_size("512b"), 512U);
  EXPECT_EQ(parse_cache_size("64k"), std::size_t{64} << 10);
  EXPECT_EQ(parse_cache_size("1.5M"), std::size_t{3} << 19);
  EXPECT_EQ(parse_cache_size("1G"), std::size_t{1} << 30);
}

TEST(CacheSizeTest, WhatIsNoSizeOrTooMuchIsRefused) {
  for (const char* const text : {"", "M", "-1", "1Q", "1MiB", "1e3", "0x10", " 1", "nan", "1025M", "1E"})
    EXPECT_FALSE(parse_cache_size(text)) << text;
}

}  // namespace
}  // namespace vmfs
