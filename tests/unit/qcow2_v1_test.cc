// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "tests/unit/qcow2_image.h"

namespace vmfs::qcow2 {
namespace {

constexpr std::size_t v1_size = 24, v1_cluster_bits = 32, v1_l2_bits = 33, v1_crypt = 36, v1_l1 = 40;

/// Clusters of 4 KiB, 512 entries a table, a disk of 2 MiB; L1 at 48, L2 at 4 KiB, data at 8 KiB.
HandMade version1() {
  HandMade image;
  image.fill(0, HandMade::cluster * 2, 0).u32(0, 0x514649fb).u32(4, 1).u64(v1_size, 2 << 20);
  image.u8(v1_cluster_bits, 12).u8(v1_l2_bits, 9).u64(v1_l1, 48);
  return image.u64(48, 4096).u64(4096, 8192).fill(8192, 4096, 0x11);
}

Result<OpenedImage> open_it(const HandMade& image) {
  FakeReferences references;
  return open_v1({.file = image.source(), .references = references});
}

int code_of(const HandMade& image) {
  const auto opened = open_it(image);
  return opened ? 0 : opened.error().code;
}

TEST(QcowV1Test, ReadsItsData) {
  const auto opened = open_it(version1());
  ASSERT_TRUE(opened);
  EXPECT_EQ(byte_at(*opened->disk, 4095), 0x11);
  EXPECT_EQ(byte_at(*opened->disk, 4096), 0);
}

TEST(QcowV1Test, BrokenHeadersAreRefused) {
  EXPECT_EQ(code_of(version1().u64(v1_size, 1)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u8(v1_cluster_bits, 8)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u8(v1_cluster_bits, 17)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u8(v1_l2_bits, 5)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u8(v1_l2_bits, 14)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u32(v1_crypt, 2)), EOPNOTSUPP);
}

TEST(QcowV1Test, TableTooLargeForTheFileIsRefused) {
  EXPECT_EQ(code_of(version1().u64(v1_size, ~std::uint64_t{0})), EUCLEAN);
  EXPECT_EQ(code_of(version1().u64(v1_size, std::uint64_t{1} << 40)), EUCLEAN);
  EXPECT_EQ(code_of(version1().u64(v1_l1, ~std::uint64_t{0})), EUCLEAN);
}

TEST(QcowV1Test, EncryptedImageNeedsAPassword) {
  EXPECT_EQ(code_of(version1().u32(v1_crypt, 1)), ENOKEY);
}

TEST(QcowV1Test, L1EntryOutOfRangeIsRefused) {
  EXPECT_EQ(byte_at(*open_it(version1().u64(48, ~std::uint64_t{0}))->disk, 0), -EUCLEAN);
  EXPECT_EQ(byte_at(*open_it(version1().u64(48, std::uint64_t{1} << 61))->disk, 0), -EUCLEAN);
}

TEST(QcowV1Test, DataOutsideTheFileReadAsZeros) {
  EXPECT_EQ(byte_at(*open_it(version1().u64(4096, std::uint64_t{1} << 62))->disk, 0), 0);
}

}  // namespace
}  // namespace vmfs::qcow2
