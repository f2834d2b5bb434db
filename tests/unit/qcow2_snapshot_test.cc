// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "tests/unit/qcow2_image.h"

namespace vmfs::qcow2 {
namespace {

constexpr std::size_t table = 4 * HandMade::cluster;
constexpr std::size_t old_l1 = 5 * HandMade::cluster;
constexpr std::size_t old_l2 = 6 * HandMade::cluster;

/// The entry at `offset`; its name is `name`, its id `id` (one character each).
void put_snapshot(HandMade& image, std::size_t offset, char id, char name) {
  image.u64(offset, old_l1).u32(offset + 8, 1).u16(offset + 12, 1).u16(offset + 14, 1).u32(offset + 36, 16);
  image.u64(offset + 48, 1 << 20).u8(offset + 56, static_cast<std::uint8_t>(id));
  image.u8(offset + 57, static_cast<std::uint8_t>(name));
}

/// Two snapshots of a disk of 1 MiB: 1, called 2, and 2, called x. Both show 0x5a, the active state zeros.
HandMade with_snapshots() {
  HandMade image;
  image.u32(HandMade::nb_snapshots, 2).u64(HandMade::snapshots_offset, table);
  put_snapshot(image, table, '1', '2');
  put_snapshot(image, table + 64, '2', 'x');
  image.u64(old_l1, old_l2).u64(old_l2, HandMade::data).fill(HandMade::data, 4096, 0x5a);
  return image;
}

int code_of(const HandMade& image, const std::string& snapshot) {
  const auto opened = open_made(image, nullptr, snapshot);
  return opened ? 0 : opened.error().code;
}

TEST(Qcow2SnapshotTest, TableIsListed) {
  const auto opened = open_made(with_snapshots());
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->info.snapshots.size(), 2U);
  EXPECT_EQ(opened->info.snapshots[1].id, "2");
  EXPECT_EQ(opened->info.snapshots[1].name, "x");
}

TEST(Qcow2SnapshotTest, SnapshotHasItsOwnContentsAndSize) {
  const auto opened = open_made(with_snapshots(), nullptr, "x");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->disk->size(), 1U << 20);
  EXPECT_EQ(byte_at(*opened->disk, 0), 0x5a);
}

TEST(Qcow2SnapshotTest, IdGoesBeforeName) {
  auto image = with_snapshots();
  image.u64(table + 64, 0).u32(table + 64 + 8, 0);
  const auto opened = open_made(image, nullptr, "2");
  ASSERT_TRUE(opened);
  EXPECT_EQ(byte_at(*opened->disk, 0), 0);
}

TEST(Qcow2SnapshotTest, UnknownSnapshotIsNotFound) {
  EXPECT_EQ(code_of(with_snapshots(), "nope"), ENOENT);
}

TEST(Qcow2SnapshotTest, TooManySnapshotsAreRefused) {
  EXPECT_EQ(code_of(with_snapshots().u32(HandMade::nb_snapshots, 65537), ""), EUCLEAN);
}

TEST(Qcow2SnapshotTest, TableOutsideTheFileIsRefused) {
  EXPECT_EQ(code_of(with_snapshots().u64(HandMade::snapshots_offset, 8 * HandMade::cluster), ""), EUCLEAN);
  EXPECT_EQ(code_of(with_snapshots().u64(HandMade::snapshots_offset, table + 8), ""), EUCLEAN);
  EXPECT_EQ(code_of(with_snapshots().u64(HandMade::snapshots_offset, ~std::uint64_t{4095}), ""), EUCLEAN);
}

TEST(Qcow2SnapshotTest, TooMuchExtraDataIsRefused) {
  EXPECT_EQ(code_of(with_snapshots().u32(table + 36, 1025), ""), EUCLEAN);
}

TEST(Qcow2SnapshotTest, LargeL1TableOfASnapshotIsRefusedWhenItIsUsed) {
  const auto image = with_snapshots().u32(table + 8, 0xffffffff);
  EXPECT_EQ(code_of(image, ""), 0);
  EXPECT_EQ(code_of(image, "1"), EUCLEAN);
}

TEST(Qcow2SnapshotTest, SnapshotLargerThanItsL1TableReadsZerosThere) {
  const auto opened = open_made(with_snapshots().u64(table + 48, 8 << 20), nullptr, "1");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->disk->size(), 8U << 20);
  EXPECT_EQ(byte_at(*opened->disk, 7 << 20), 0);
}

}  // namespace
}  // namespace vmfs::qcow2
