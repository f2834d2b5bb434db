// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/qcow2_image.h"

namespace vmfs::qcow2 {
namespace {

using Made = HandMade;

std::shared_ptr<const Source> disk_of(const HandMade& image, std::shared_ptr<const Source> below = nullptr) {
  auto opened = open_made(image, std::move(below));
  return opened ? opened->disk : nullptr;
}

std::shared_ptr<const Source> bytes(std::size_t count, std::uint8_t value) {
  return std::make_shared<MemorySource>(std::vector<std::byte>(count, std::byte{value}));
}

HandMade with_backing() {
  HandMade image;
  image.u64(Made::backing_file_offset, 512).u32(Made::backing_file_size, 1).text(512, "b");
  return image;
}

/// Clusters of 16 KiB with extended L2 entries: L1 at 16 KiB, L2 at 32 KiB, data at 48 KiB.
HandMade extended(std::uint64_t entry, std::uint64_t bitmap) {
  HandMade image(std::size_t{4} << 14);
  image.u64(Made::incompatible_features, 16).u32(Made::cluster_bits, 14).u64(Made::l1_table_offset, 1 << 14);
  image.u64(1 << 14, 2 << 14).u64(2 << 14, entry).u64((2 << 14) + 8, bitmap);
  image.fill(std::size_t{3} << 14, std::size_t{1} << 14, 0xdd);
  return image;
}

TEST(Qcow2MapTest, UnallocatedReadsAsZeros) {
  const auto disk = disk_of(HandMade());
  const auto extent = disk->map(0, disk->size());
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->kind, Extent::Kind::zero);
  EXPECT_EQ(extent->length, disk->size());
}

TEST(Qcow2MapTest, AllocatedClusterReadsItsData) {
  const auto disk = disk_of(HandMade().entry(5, Made::data | Made::copied).fill(Made::data, 4096, 0xaa));
  EXPECT_EQ(byte_at(*disk, 5 * Made::cluster), 0xaa);
  EXPECT_EQ(byte_at(*disk, 6 * Made::cluster - 1), 0xaa);
  EXPECT_EQ(byte_at(*disk, 6 * Made::cluster), 0);
}

TEST(Qcow2MapTest, AdjacentClustersAreOneRun) {
  const auto disk = disk_of(HandMade().entry(0, Made::data).entry(1, Made::data + 4096).entry(2, Made::data));
  EXPECT_EQ(disk->map(100, 1 << 20)->length, 2 * Made::cluster - 100);
}

TEST(Qcow2MapTest, ZeroFlagOnAllocatedClusterReadsAsZeros) {
  const auto disk = disk_of(HandMade().entry(0, Made::data | 1).fill(Made::data, 4096, 0xaa));
  EXPECT_EQ(byte_at(*disk, 0), 0);
}

TEST(Qcow2MapTest, ZeroFlagHidesTheBackingFile) {
  const auto disk = disk_of(with_backing().entry(0, 1), bytes(8192, 0xbb));
  EXPECT_EQ(byte_at(*disk, 0), 0);
  EXPECT_EQ(byte_at(*disk, 4096), 0xbb);
}

TEST(Qcow2MapTest, ShortBackingFileReadsZerosBehindItsEnd) {
  const auto disk = disk_of(with_backing(), bytes(5000, 0xbb));
  EXPECT_EQ(byte_at(*disk, 4999), 0xbb);
  EXPECT_EQ(byte_at(*disk, 5000), 0);
  EXPECT_EQ(disk->map(5000, 1 << 20)->kind, Extent::Kind::zero);
}

TEST(Qcow2MapTest, DataBehindTheEndOfTheFileReadsAsZeros) {
  const auto disk = disk_of(HandMade().entry(0, 1 << 20));
  EXPECT_EQ(byte_at(*disk, 0), 0);
}

TEST(Qcow2MapTest, DataCutByTheEndOfTheFileReadsAsZerosFromThere) {
  HandMade image(Made::data + 100);
  const auto disk = disk_of(image.entry(0, Made::data).fill(Made::data, 100, 0xaa));
  EXPECT_EQ(byte_at(*disk, 99), 0xaa);
  EXPECT_EQ(byte_at(*disk, 100), 0);
}

TEST(Qcow2MapTest, BrokenEntrySpoilsItsOwnRunOnly) {
  const auto disk = disk_of(
      HandMade().entry(0, Made::data).entry(1, Made::data + 512).entry(2, Made::data).fill(Made::data, 1, 7));
  EXPECT_EQ(byte_at(*disk, 0), 7);
  EXPECT_EQ(byte_at(*disk, 4096), -EUCLEAN);
  EXPECT_EQ(byte_at(*disk, 8192), 7);
}

TEST(Qcow2MapTest, ReservedBitsAreRefused) {
  EXPECT_EQ(byte_at(*disk_of(HandMade().entry(0, Made::data | 2)), 0), -EUCLEAN);
  EXPECT_EQ(byte_at(*disk_of(HandMade().entry(0, Made::data | std::uint64_t{1} << 56)), 0), -EUCLEAN);
  EXPECT_EQ(byte_at(*disk_of(HandMade().u64(Made::l1, Made::l2 | 1)), 0), -EUCLEAN);
}

TEST(Qcow2MapTest, ZeroFlagInVersion2IsRefused) {
  EXPECT_EQ(byte_at(*disk_of(HandMade().u32(Made::version, 2).entry(0, 1)), 0), -EUCLEAN);
}

TEST(Qcow2MapTest, UnalignedL2TableIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(HandMade().u64(Made::l1, Made::l2 + 512)), 0), -EUCLEAN);
}

TEST(Qcow2MapTest, L2TableOutsideTheFileIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(HandMade().u64(Made::l1, 8 * Made::cluster)), 0), -EUCLEAN);
  EXPECT_EQ(byte_at(*disk_of(HandMade().u64(Made::l1, std::uint64_t{0xfffffffffff} << 12)), 0), -EUCLEAN);
}

TEST(Qcow2MapTest, CompressedClusterIsDecoded) {
  const auto disk = disk_of(HandMade().deflated(3, Made::data + 77, 0xcc));
  EXPECT_EQ(disk->map(3 * Made::cluster, 1)->kind, Extent::Kind::encoded);
  EXPECT_EQ(byte_at(*disk, 3 * Made::cluster + 4095), 0xcc);
}

TEST(Qcow2MapTest, CompressedDataMayEndWithTheFile) {
  HandMade image(Made::data + 40);
  EXPECT_EQ(byte_at(*disk_of(image.deflated(0, Made::data + 4, 0xcc, 3)), 9), 0xcc);
}

TEST(Qcow2MapTest, DamagedCompressedClusterIsAnError) {
  const auto disk = disk_of(HandMade().entry(0, Made::compressed | Made::data).fill(Made::data, 512, 0xff));
  EXPECT_EQ(byte_at(*disk, 0), -EIO);
  EXPECT_EQ(byte_at(*disk, 1), -EIO);
}

TEST(Qcow2MapTest, CompressedClusterBehindTheEndIsAnError) {
  EXPECT_EQ(byte_at(*disk_of(HandMade().entry(0, Made::compressed | 1 << 20)), 0), -EIO);
}

TEST(Qcow2MapTest, ParallelReadersOfOneCompressedClusterAgree) {
  const auto disk = disk_of(HandMade().deflated(0, Made::data, 0xcc));
  std::array<int, 4> seen{};
  {
    std::array<std::jthread, 4> readers;
    std::ranges::transform(seen, readers.begin(),
                           [&](int& result) { return std::jthread([&] { result = byte_at(*disk, 17); }); });
  }
  EXPECT_EQ(seen, (std::array<int, 4>{0xcc, 0xcc, 0xcc, 0xcc}));
}

TEST(Qcow2MapTest, SubclustersAreAllocatedOneByOne) {
  const auto disk = disk_of(extended(3 << 14, 0b1001));
  EXPECT_EQ(byte_at(*disk, 511), 0xdd);
  EXPECT_EQ(byte_at(*disk, 512), 0);
  EXPECT_EQ(byte_at(*disk, 1536), 0xdd);
  EXPECT_EQ(disk->map(512, 1 << 14)->length, 1024U);
}

TEST(Qcow2MapTest, SubclusterBothAllocatedAndZeroIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(extended(3 << 14, std::uint64_t{1} << 32 | 1)), 0), -EUCLEAN);
}

TEST(Qcow2MapTest, AllocatedSubclusterWithoutAHostClusterIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(extended(0, 1)), 0), -EUCLEAN);
}

HandMade with_data_file() {
  HandMade image;
  image.u64(Made::incompatible_features, 4).extension(0x44415441, "data");
  return image;
}

TEST(Qcow2MapTest, ExternalDataFileHoldsTheData) {
  const auto disk = disk_of(with_data_file().entry(1, 4096 | Made::copied), bytes(8192, 0xee));
  EXPECT_EQ(byte_at(*disk, 0), 0);
  EXPECT_EQ(byte_at(*disk, 4096), 0xee);
}

TEST(Qcow2MapTest, FirstClusterOfAnExternalDataFileHasOffsetZero) {
  EXPECT_EQ(byte_at(*disk_of(with_data_file().entry(0, Made::copied), bytes(8192, 0xee)), 0), 0xee);
}

TEST(Qcow2MapTest, MisplacedClusterOfAnExternalDataFileIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(with_data_file().entry(0, 4096 | Made::copied), bytes(8192, 0xee)), 0),
            -EUCLEAN);
}

TEST(Qcow2MapTest, CompressedClusterWithAnExternalDataFileIsRefused) {
  EXPECT_EQ(byte_at(*disk_of(with_data_file().deflated(0, Made::data, 1), bytes(8192, 0xee)), 0), -EUCLEAN);
}

}  // namespace
}  // namespace vmfs::qcow2
