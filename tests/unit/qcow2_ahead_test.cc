// SPDX-License-Identifier: MIT
// Many readers of one compressed image, with clusters large enough to be decoded ahead.
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "formats/workers.h"
#include "tests/unit/qcow2_image.h"

namespace vmfs::qcow2 {
namespace {

constexpr std::size_t cluster = std::size_t{16} << 10;
constexpr std::size_t clusters = 64;
constexpr std::size_t data = 3 * cluster;
constexpr std::size_t slot = 512;  // of each compressed cluster

using Counts = std::array<std::atomic<int>, clusters>;

/// The bytes of an image file, and how often each of its compressed clusters was read.
class CountedFile final : public Source {
 public:
  CountedFile(std::shared_ptr<const Source> bytes, std::shared_ptr<Counts> counts)
      : Source(bytes->size()), bytes_(std::move(bytes)), counts_(std::move(counts)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    return Extent::encoded(*this, offset, max_length);
  }
  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override {
    if (offset >= data) ++(*counts_)[(offset - data) / slot];
    return read(*bytes_, offset, into);
  }

  const std::shared_ptr<const Source> bytes_;
  const std::shared_ptr<Counts> counts_;
};

/// Cluster `i` is full of bytes `i + 1`.
std::shared_ptr<const Source> file_bytes() {
  HandMade image(data + clusters * slot);
  image.u32(HandMade::cluster_bits, 14).u64(HandMade::l1_table_offset, cluster).u64(HandMade::size, 1 << 20);
  image.u64(HandMade::l1, 0).u64(cluster, 2 * cluster);
  for (std::size_t i = 0; i < clusters; ++i) {
    const std::size_t place = data + i * slot;
    image.u64(2 * cluster + i * 8, HandMade::compressed | place);
    image.bytes_at(place, deflate(std::vector(cluster, static_cast<std::uint8_t>(i + 1))));
  }
  return image.source();
}

struct Opened {
  std::shared_ptr<Counts> counts = std::make_shared<Counts>();
  std::shared_ptr<const Source> disk;
};

Opened open_counted(std::size_t cache_size) {
  Opened opened;
  FakeReferences references;
  auto image = open({.file = std::make_shared<CountedFile>(file_bytes(), opened.counts),
                     .references = references,
                     .cache = std::make_shared<ImageCache>(cache_size)});
  EXPECT_TRUE(image) << (image ? "" : image.error().what);
  if (image) opened.disk = image->disk;
  return opened;
}

/// Reads the disk from one end to the other in pieces that are no clusters; true if every byte was right.
bool read_all(const Source& disk, std::size_t piece) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(disk.size()));
  for (std::size_t offset = 0; offset < bytes.size(); offset += piece) {
    const auto part = std::span(bytes).subspan(offset, std::min(piece, bytes.size() - offset));
    if (!read(disk, offset, part)) return false;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != static_cast<std::byte>(i / cluster + 1)) return false;
  }
  return true;
}

int total(const Counts& counts) {
  int sum = 0;
  for (const auto& count : counts) sum += count;
  return sum;
}

TEST(Qcow2AheadTest, ParallelReadersDecodeEveryClusterOnce) {
  allow_threads();
  const Opened opened = open_counted(std::size_t{4} << 20);
  ASSERT_TRUE(opened.disk);
  std::atomic<int> right = 0;
  const auto work = [&](std::size_t piece) { right += read_all(*opened.disk, piece); };
  {
    const std::jthread one(work, 3000);
    const std::jthread two(work, cluster);
    const std::jthread three(work, 50'000);
    const std::jthread four(work, 4096);
  }
  EXPECT_EQ(right, 4);
  for (const auto& count : *opened.counts) EXPECT_EQ(count, 1);
}

TEST(Qcow2AheadTest, ParallelReadersOfACacheThatIsTooSmallAreRight) {
  allow_threads();
  for (const std::size_t cache_size : {std::size_t{0}, cluster * 2, cluster * 7}) {
    const Opened opened = open_counted(cache_size);
    ASSERT_TRUE(opened.disk);
    std::atomic<int> right = 0;
    const auto work = [&](std::size_t piece) { right += read_all(*opened.disk, piece); };
    {
      const std::jthread one(work, 30'000);
      const std::jthread two(work, 100'000);
    }
    EXPECT_EQ(right, 2) << cache_size;
  }
}

TEST(Qcow2AheadTest, ParallelEndWhileClustersAreDecodedAhead) {
  allow_threads();
  for (int i = 0; i < 50; ++i) {
    const Opened opened = open_counted(std::size_t{4} << 20);
    ASSERT_TRUE(opened.disk);
    std::array<std::byte, 100> part{};
    for (std::uint64_t number = 0; number < 8; ++number)
      EXPECT_TRUE(read(*opened.disk, number * cluster, part));
  }
}

TEST(Qcow2AheadTest, ReadersHereAndThereDecodeNothingThatNobodyAsksFor) {
  allow_threads();
  const Opened opened = open_counted(std::size_t{4} << 20);
  ASSERT_TRUE(opened.disk);
  std::array<std::byte, 100> part{};
  for (std::uint64_t i = 0; i < clusters / 2; ++i)
    EXPECT_TRUE(read(*opened.disk, (i * 22 % clusters) * cluster, part));
  EXPECT_EQ(total(*opened.counts), static_cast<int>(clusters / 2));
}

}  // namespace
}  // namespace vmfs::qcow2
