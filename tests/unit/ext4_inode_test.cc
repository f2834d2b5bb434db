// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ext4_image.h"

namespace vmfs::test {
namespace {

using ::testing::HasSubstr;

void touch(const std::filesystem::path& folder) {
  std::ofstream(folder / "f") << "text";
}

Attributes attributes_after(const std::string& options, const std::string& command) {
  Ext4Image image(options, "4M", touch);
  image.debugfs(command);
  const auto filesystem = image.open();
  if (!filesystem) {
    ADD_FAILURE() << filesystem.error().what;
    return {};
  }
  const auto attributes = (*filesystem)->stat(resolve(**filesystem, "f"));
  EXPECT_TRUE(attributes) << attributes.error().what;
  return attributes.value_or(Attributes{});
}

/// Seconds of a time that was written as `seconds` with the epoch bits `epoch`.
std::int64_t seconds_of(const std::string& seconds, const std::string& epoch) {
  return attributes_after(
             "-t ext4", "set_inode_field f mtime_lo " + seconds + "\nset_inode_field f mtime_extra " + epoch)
      .modified.tv_sec;
}

TEST(Ext4InodeTest, EpochBitsExtendTimesTo2446) {
  EXPECT_EQ(seconds_of("0x80000000", "0"), -(std::int64_t{1} << 31));
  EXPECT_EQ(seconds_of("0x7fffffff", "0"), (std::int64_t{1} << 31) - 1);
  EXPECT_EQ(seconds_of("0x80000000", "1"), std::int64_t{1} << 31);
  EXPECT_EQ(seconds_of("0x7fffffff", "3"), 15032385535);
}

TEST(Ext4InodeTest, NanosecondsLieAboveTheEpochBits) {
  const Attributes attributes =
      attributes_after("-t ext4", "set_inode_field f mtime_lo 5\nset_inode_field f mtime_extra 3999999996");
  EXPECT_EQ(attributes.modified.tv_sec, 5);
  EXPECT_EQ(attributes.modified.tv_nsec, 999999999);
}

TEST(Ext4InodeTest, OldInodesHaveSecondsAndNoBirth) {
  const Attributes attributes = attributes_after("-t ext4 -I 128", "set_inode_field f mtime @1700000000");
  EXPECT_EQ(attributes.modified.tv_sec, 1700000000);
  EXPECT_EQ(attributes.modified.tv_nsec, 0);
  EXPECT_EQ(attributes.born.tv_sec, 0);
}

TEST(Ext4InodeTest, IdsHave32Bits) {
  const Attributes attributes = attributes_after(
      "-t ext4",
      "set_inode_field f uid_hi 1\nset_inode_field f uid_lo 4464\nset_inode_field f gid_hi 0xee6b\n"
      "set_inode_field f gid_lo 0x2800");
  EXPECT_EQ(attributes.uid, 70000U);
  EXPECT_EQ(attributes.gid, 4000000000U);
}

TEST(Ext4InodeTest, DeviceNumbersAreReadInBothEncodings) {
  const std::string device = "set_inode_field f mode 060600\nset_inode_field f flags 0\n";
  const Attributes old = attributes_after("-t ext2", device + "set_inode_field f block[0] 0x0801");
  EXPECT_EQ(major(old.device), 8U);
  EXPECT_EQ(minor(old.device), 1U);
  const Attributes large = attributes_after(
      "-t ext2", device + "set_inode_field f block[0] 0\nset_inode_field f block[1] 0x493103e0");
  EXPECT_EQ(major(large.device), 259U);
  EXPECT_EQ(minor(large.device), 300000U);
}

TEST(Ext4InodeTest, BlocksOfHugeFilesCountInBlocks) {
  const Attributes attributes =
      attributes_after("-t ext4 -b 4096", "set_inode_field f flags 0xc0000\nset_inode_field f blocks 3");
  EXPECT_EQ(attributes.blocks, 24U);
}

TEST(Ext4InodeTest, InlineDataCountsAsBlocks) {
  EXPECT_EQ(attributes_after("-t ext4 -O inline_data", "").blocks, 1U);
}

TEST(Ext4InodeTest, SizeHas64Bits) {
  EXPECT_EQ(attributes_after("-t ext4", "set_inode_field f size 0x123456789a").size, 0x123456789aU);
}

TEST(Ext4InodeTest, AnImpossibleSizeIsDamage) {
  Ext4Image image("-t ext4 -b 1024", "4M", touch);
  image.debugfs("set_inode_field f size 0x50000000000");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  EXPECT_EQ(code_of((*filesystem)->stat(resolve(**filesystem, "f"))), EUCLEAN);
}

TEST(Ext4InodeTest, NumbersOfNoFileAreStale) {
  Ext4Image image("-t ext4", "4M", touch);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  EXPECT_EQ(code_of((*filesystem)->stat(Inode{0})), ESTALE);
  EXPECT_EQ(code_of((*filesystem)->stat(Inode{8})), ESTALE);
  EXPECT_EQ(code_of((*filesystem)->stat(Inode{500})), ESTALE);
  EXPECT_EQ(code_of((*filesystem)->stat(Inode{UINT64_MAX})), ESTALE);
}

TEST(Ext4InodeTest, AnEntryForADeletedInodeIsDamage) {
  Ext4Image image("-t ext4", "4M", touch);
  image.debugfs("set_inode_field f links_count 0");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  EXPECT_EQ(code_of((*filesystem)->lookup((*filesystem)->root(), "f")), EUCLEAN);
}

TEST(Ext4InodeTest, AWrongChecksumHidesThatInodeOnly) {
  Ext4Image image("-t ext4", "4M", [](const std::filesystem::path& folder) {
    std::ofstream(folder / "f") << "text";
    std::ofstream(folder / "g") << "text";
  });
  image.debugfs("set_inode_field f checksum 0x12345678");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  const auto stat = (*filesystem)->stat(resolve(**filesystem, "f"));
  ASSERT_EQ(code_of(stat), EBADMSG);
  EXPECT_THAT(stat.error().what, HasSubstr("i_checksum 0x12345678"));
  EXPECT_EQ(contents_of(**filesystem, "g"), "text");
}

TEST(Ext4InodeTest, AnUnknownTypeIsDamage) {
  Ext4Image image("-t ext4", "4M", touch);
  image.debugfs("set_inode_field f mode 0170644");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  EXPECT_EQ(code_of((*filesystem)->stat(resolve(**filesystem, "f"))), EUCLEAN);
}

TEST(Ext4InodeTest, OperationsOfOtherTypesAreRefused) {
  Ext4Image image("-t ext4", "4M", touch);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem);
  const Inode file = resolve(**filesystem, "f");
  const Inode root = (*filesystem)->root();
  EXPECT_EQ(code_of((*filesystem)->lookup(file, "x")), ENOTDIR);
  EXPECT_EQ(code_of((*filesystem)->list(file, 0, [](const auto&) { return true; })), ENOTDIR);
  EXPECT_EQ(code_of((*filesystem)->readlink(file)), EINVAL);
  EXPECT_EQ(code_of((*filesystem)->open(root)), EISDIR);
}

}  // namespace
}  // namespace vmfs::test
