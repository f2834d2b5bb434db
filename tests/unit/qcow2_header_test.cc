// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/qcow2_image.h"

namespace vmfs::qcow2 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

auto says(const char* code, const char* text) {
  return AllOf(StartsWith(code), HasSubstr(text));
}

TEST(Qcow2HeaderTest, SoundHeaderOpens) {
  EXPECT_EQ(error_of(HandMade()), "opened");
}

TEST(Qcow2HeaderTest, FileShorterThanAHeaderIsRefused) {
  FakeReferences references;
  const auto opened =
      open({.file = std::make_shared<MemorySource>(std::vector<std::byte>(71)), .references = references});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EUCLEAN);
}

TEST(Qcow2HeaderTest, UnknownVersionIsRefused) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::version, 4)), says("EOPNOTSUPP", "version 4"));
}

TEST(Qcow2HeaderTest, ClusterBitsOutOfRangeAreRefused) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::cluster_bits, 8)), says("EUCLEAN", "cluster_bits 8"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::cluster_bits, 22)), says("EUCLEAN", "cluster_bits 22"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::cluster_bits, 0xffffffff)), says("EUCLEAN", "cluster_bits"));
}

TEST(Qcow2HeaderTest, HeaderLengthOutOfRangeIsRefused) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::header_length, 103)), says("EUCLEAN", "header_length 103"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::header_length, 4097)), says("EUCLEAN", "header_length 4097"));
}

TEST(Qcow2HeaderTest, RefcountOrderOutOfRangeIsRefused) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::refcount_order, 7)), says("EUCLEAN", "refcount_order 7"));
}

TEST(Qcow2HeaderTest, LargeL1TableIsRefusedBeforeItIsAllocated) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::l1_size, 0xffffffff)), says("EUCLEAN", "too many"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::l1_size, (4 << 20) + 1)), says("EUCLEAN", "too many"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::l1_size, 4 << 20)), says("EUCLEAN", "not inside the file"));
}

TEST(Qcow2HeaderTest, L1TableMustBeAlignedAndInsideTheFile) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::l1_table_offset, 4104)), says("EUCLEAN", "not aligned"));
  EXPECT_THAT(error_of(HandMade().u64(HandMade::l1_table_offset, 8 * HandMade::cluster)),
              says("EUCLEAN", "not inside"));
  EXPECT_THAT(error_of(HandMade().u64(HandMade::l1_table_offset, ~std::uint64_t{4095})),
              says("EUCLEAN", "not inside"));
}

TEST(Qcow2HeaderTest, DiskLargerThanItsL1TableIsRefused) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::size, (2 << 20) + 512)), says("EUCLEAN", "l1_size 1 < 2"));
  EXPECT_THAT(error_of(HandMade().u64(HandMade::size, ~std::uint64_t{0})), says("EUCLEAN", "l1_size 1"));
}

TEST(Qcow2HeaderTest, LuksIsRefusedByName) {
  EXPECT_THAT(error_of(HandMade().u32(HandMade::crypt_method, 2)), says("EOPNOTSUPP", "LUKS"));
  EXPECT_THAT(error_of(HandMade().u32(HandMade::crypt_method, 3)), says("EOPNOTSUPP", "method 3"));
}

TEST(Qcow2HeaderTest, UnknownFeatureIsNamedByTheTable) {
  HandMade image;
  image.u64(HandMade::incompatible_features, std::uint64_t{1} << 41 | std::uint64_t{1} << 42);
  image.extension(0x6803f857, std::string("\0\x29time travel", 13) + std::string(35, '\0'));
  EXPECT_THAT(error_of(image), says("EOPNOTSUPP", "time travel, bit 42"));
}

TEST(Qcow2HeaderTest, FeatureNamesCannotSpoilTheTerminal) {
  HandMade image;
  image.u64(HandMade::incompatible_features, std::uint64_t{1} << 41);
  image.extension(0x6803f857, std::string("\0\x29\x1b[31m", 7) + std::string(41, '\0'));
  EXPECT_THAT(error_of(image), says("EOPNOTSUPP", "?[31m"));
}

TEST(Qcow2HeaderTest, ExtensionPastTheHeaderAreaIsRefused) {
  HandMade image;
  image.u32(HandMade::extensions, 0xe2792aca).u32(HandMade::extensions + 4, 0xffffffff);
  EXPECT_THAT(error_of(image), says("EUCLEAN", "passes the end"));
}

TEST(Qcow2HeaderTest, CompressionTypeMustAgreeWithItsBit) {
  EXPECT_THAT(error_of(HandMade().u8(HandMade::compression_type, 1)), says("EUCLEAN", "compression_type 1"));
  EXPECT_THAT(error_of(HandMade().u64(HandMade::incompatible_features, 8)), says("EUCLEAN", "contradicts"));
  EXPECT_THAT(error_of(HandMade().u8(HandMade::compression_type, 2)), says("EOPNOTSUPP", "type 2"));
}

TEST(Qcow2HeaderTest, ExtendedL2NeedsLargeClusters) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::incompatible_features, 16)), says("EUCLEAN", "< 14"));
}

TEST(Qcow2HeaderTest, BackingNameMustLieInTheFirstCluster) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::backing_file_offset, 4097)), says("EUCLEAN", "4097"));
  EXPECT_THAT(
      error_of(HandMade().u64(HandMade::backing_file_offset, 4000).u32(HandMade::backing_file_size, 97)),
      says("EUCLEAN", "backing_file_size 97"));
  EXPECT_THAT(
      error_of(HandMade().u64(HandMade::backing_file_offset, 512).u32(HandMade::backing_file_size, 1024)),
      says("EUCLEAN", "1024"));
}

TEST(Qcow2HeaderTest, BackingFileIsAskedForWithItsFormat) {
  HandMade image;
  image.u64(HandMade::backing_file_offset, 512).u32(HandMade::backing_file_size, 8).text(512, "base.img");
  image.extension(0xe2792aca, "raw");
  FakeReferences references;
  EXPECT_FALSE(open({.file = image.source(), .references = references}));
  EXPECT_EQ(references.asked, "base.img:raw");
}

TEST(Qcow2HeaderTest, RawDataFileNeedsADataFile) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::autoclear_features, 2)), says("EUCLEAN", "data-file-raw"));
}

TEST(Qcow2HeaderTest, DataFileWithoutANameIsRefused) {
  EXPECT_THAT(error_of(HandMade().u64(HandMade::incompatible_features, 4)),
              says("EUCLEAN", "does not name it"));
}

TEST(Qcow2HeaderTest, Version2IgnoresWhatFollowsItsHeader) {
  const auto image = HandMade().u32(HandMade::version, 2).u64(HandMade::incompatible_features, 0);
  EXPECT_EQ(error_of(image), "opened");
  EXPECT_THAT(error_of(HandMade().u32(HandMade::version, 2).u32(72, 0xe2792aca).u32(76, 3).text(80, "raw")),
              "opened");
}

TEST(Qcow2HeaderTest, SizeIsWholeSectors) {
  EXPECT_EQ(open_made(HandMade().u64(HandMade::size, 1023))->disk->size(), 512U);
}

TEST(Qcow2HeaderTest, DirtyAndCorruptAreSaidAndRead) {
  FakeReferences references;
  std::vector<std::string> warnings;
  const auto image = HandMade().u64(HandMade::incompatible_features, 3);
  const auto opened = open({.file = image.source(), .references = references, .warn = [&](const auto& text) {
                              warnings.push_back(text);
                            }});
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->info.dirty && opened->info.corrupt);
  EXPECT_EQ(warnings.size(), 2U);
}

}  // namespace
}  // namespace vmfs::qcow2
