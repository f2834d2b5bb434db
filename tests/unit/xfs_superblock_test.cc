// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <gtest/gtest.h>

#include "formats/crc32c.h"
#include "fs/xfs/log/record_format.h"
#include "fs/xfs/superblock.h"
#include "tests/unit/xfs_image.h"

namespace vmfs::tests {
namespace {

constexpr std::size_t crc_field = offsetof(xfs::Dsb, sb_crc);

// The image "plain" with a changed superblock whose checksum is right.
XfsImage with_superblock(const xfs::Dsb& superblock) {
  XfsImage image("plain");
  image.disk->put(0, superblock);
  image.seal(0, superblock.sb_sectsize, crc_field);
  return image;
}

xfs::Dsb plain_superblock() {
  return XfsImage("plain").superblock;
}

// An unmount is a record of one operation.
void add_operation_to_log_records(const XfsImage& image) {
  for (std::uint64_t at = 0; at + 512 <= image.disk->size(); at += 512) {
    if (*read_struct<be32>(*image.disk, at) == xfs::log_header_magic)
      image.disk->put(at + offsetof(xfs::XlogRecHeader, h_num_logops), be32{2});
  }
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

TEST(XfsChecksumTest, IsCrc32cOfCastagnoli) {
  const std::string digits = "123456789";
  EXPECT_EQ(~crc32c(~0U, std::as_bytes(std::span(digits))), 0xe3069283U);
}

TEST(XfsChecksumTest, TableAndInstructionAgree) {
  const std::string text = "a text whose length is no multiple of eight bytes";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(crc32c(17, bytes), crc32c_by_table(17, bytes));
}

TEST(XfsSuperblockTest, SaysWhatTheFileSystemIs) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_fname = {'t', 'e', 's', 't'};
  const auto filesystem = with_superblock(sb).opened();
  const FilesystemInfo& info = filesystem->info();
  EXPECT_EQ(info.type, "xfs");
  EXPECT_EQ(info.label, "test");
  EXPECT_EQ(info.uuid, "0f0e0d0c-0b0a-0908-0706-050403020100");
  EXPECT_EQ(info.state, "clean");
  EXPECT_EQ(info.size, 64U << 20U);
  EXPECT_TRUE(has(info.features, "crc") && has(info.features, "bigtime") && has(info.features, "ftype"));
}

TEST(XfsSuperblockTest, WrongMagicIsNamed) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_magicnum = 0x12345678;
  const auto result = with_superblock(sb).open();
  ASSERT_EQ(error_of(result), EUCLEAN);
  EXPECT_NE(result.error().what.find("sb_magicnum 0x12345678"), std::string::npos);
}

TEST(XfsSuperblockTest, WrongChecksumIsRefused) {
  XfsImage image("plain");
  image.flip(offsetof(xfs::Dsb, sb_icount));
  const auto result = image.open();
  ASSERT_EQ(error_of(result), EUCLEAN);
  EXPECT_NE(result.error().what.find("sb_crc"), std::string::npos);
}

TEST(XfsSuperblockTest, UnknownIncompatibleFeatureIsRefusedByNumber) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_features_incompat = sb.sb_features_incompat | 1U << 20U;
  const auto result = with_superblock(sb).open();
  ASSERT_EQ(error_of(result), EOPNOTSUPP);
  EXPECT_NE(result.error().what.find("0x100000"), std::string::npos);
}

TEST(XfsSuperblockTest, UnknownReadOnlyFeatureDoesNotMatter) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_features_ro_compat = sb.sb_features_ro_compat | 1U << 20U;
  EXPECT_TRUE(with_superblock(sb).open());
}

TEST(XfsSuperblockTest, FeaturesOfLaterKernelsAreNamed) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_features_incompat = sb.sb_features_incompat | xfs::incompat::exchrange | xfs::incompat::parent |
                            xfs::incompat::metadir | xfs::incompat::zoned | xfs::incompat::zone_gaps;
  const auto filesystem = with_superblock(sb).opened();
  const auto& features = filesystem->info().features;
  EXPECT_TRUE(has(features, "exchange") && has(features, "parent") && has(features, "metadir"));
  EXPECT_TRUE(has(features, "zoned") && has(features, "zone_gaps"));
}

TEST(XfsSuperblockTest, NeedsRepairIsReadWithAWarning) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_features_incompat = sb.sb_features_incompat | xfs::incompat::needsrepair;
  const XfsImage image = with_superblock(sb);
  EXPECT_EQ(image.opened()->info().state, "damaged");
  EXPECT_EQ(image.warnings.size(), 1U);
}

TEST(XfsSuperblockTest, FileSystemLargerThanItsVolumeIsRefused) {
  const XfsImage image("plain");
  const auto half = SubSource::create(image.disk, 0, image.disk->size() / 2);
  EXPECT_EQ(error_of(open_xfs(*half, {})), EIO);
}

TEST(XfsSuperblockTest, UnfinishedMkfsIsRefused) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_inprogress = 1;
  EXPECT_EQ(error_of(with_superblock(sb).open()), EUCLEAN);
}

TEST(XfsSuperblockTest, GeometryThatContradictsItselfIsRefused) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_agcount = sb.sb_agcount + 1U;
  EXPECT_EQ(error_of(with_superblock(sb).open()), EUCLEAN);
}

TEST(XfsSuperblockTest, BlockSizeThatIsNoPowerOfTwoIsRefused) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_blocksize = 3000;
  EXPECT_EQ(error_of(with_superblock(sb).open()), EUCLEAN);
}

TEST(XfsSuperblockTest, DirectoryBlocksAbove64KiBAreRefused) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_dirblklog = 5;
  EXPECT_EQ(error_of(with_superblock(sb).open()), EUCLEAN);
}

TEST(XfsSuperblockTest, InodeNumbersAbove56BitsAreRefused) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_blocksize = 65536;
  sb.sb_blocklog = 16;
  sb.sb_dirblklog = 0;
  sb.sb_inodesize = 256;
  sb.sb_inodelog = 8;
  sb.sb_inopblock = 256;
  sb.sb_inopblog = 8;
  sb.sb_agblocks = (1U << 23U) + 1;
  sb.sb_agblklog = 24;
  sb.sb_agcount = (1U << 24U) + 1;
  sb.sb_dblocks = std::uint64_t{sb.sb_agblocks} * sb.sb_agcount;
  auto disk = std::make_shared<SparseImage>(~0ULL);
  disk->put(0, sb);
  const auto result = xfs::read_superblock(*disk, false, [](const std::string&) {});
  EXPECT_EQ(error_of(result), EOVERFLOW);
}

TEST(XfsSuperblockTest, AnotherUuidOfTheUserIsNotThatOfTheStructures) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_meta_uuid = sb.sb_uuid;
  sb.sb_uuid = {1};
  sb.sb_features_incompat = sb.sb_features_incompat | xfs::incompat::meta_uuid;
  const auto filesystem = with_superblock(sb).opened();
  EXPECT_EQ(filesystem->info().uuid, "01000000-0000-0000-0000-000000000000");
}

TEST(XfsSuperblockTest, UuidOfAnotherFileSystemIsDamage) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_uuid = {1};
  EXPECT_EQ(error_of(with_superblock(sb).open()), EUCLEAN);
}

TEST(XfsLogTest, ExternalLogIsNoObstacle) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_logstart = 0;
  const XfsImage image = with_superblock(sb);
  EXPECT_EQ(image.opened()->info().state, "clean");
  EXPECT_EQ(image.warnings.size(), 1U);
}

TEST(XfsLogTest, LogThatDoesNotEndWithAnUnmountIsDirtyWhereItIsNotReplayed) {
  const XfsImage image("plain");
  EXPECT_EQ(image.opened()->info().state, "clean");
  add_operation_to_log_records(image);
  const auto filesystem = image.open(false);
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ((*filesystem)->info().state, "dirty");
  EXPECT_EQ(image.warnings.size(), 1U);
}

TEST(XfsLogTest, LogOutsideItsGroupIsOnlyWarnedOfWhereItIsNotReplayed) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_logblocks = 0x7fffffff;
  const XfsImage image = with_superblock(sb);
  const auto filesystem = image.open(false);
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ((*filesystem)->info().state, "dirty");
}

TEST(XfsLogTest, LogThatCannotBeReplayedIsAnErrorThatNamesTheWayOut) {
  xfs::Dsb sb = plain_superblock();
  sb.sb_logblocks = 0x7fffffff;
  const auto filesystem = with_superblock(sb).open();
  ASSERT_EQ(error_of(filesystem), EUCLEAN);
  EXPECT_NE(filesystem.error().what.find("--norecovery"), std::string::npos);
}

}  // namespace
}  // namespace vmfs::tests
