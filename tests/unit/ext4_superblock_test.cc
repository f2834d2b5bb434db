// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/endian.h"
#include "fs/ext4/superblock.h"
#include "tests/unit/ext4_image.h"

namespace vmfs::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t superblock = 1024;
constexpr std::size_t s_state = superblock + 0x3a;
constexpr std::size_t s_feature_incompat = superblock + 0x60;
constexpr std::size_t s_feature_ro_compat = superblock + 0x64;
constexpr std::size_t s_inode_size = superblock + 0x58;
constexpr std::size_t s_free_blocks_count = superblock + 0xc;

template <class T>
T get(Ext4Image& image, std::size_t offset) {
  return from_bytes<T>(std::span<const std::byte>(image.bytes()).subspan(offset));
}

template <class T>
void put(Ext4Image& image, std::size_t offset, T value) {
  std::memcpy(image.bytes().data() + offset, &value, sizeof value);
}

void set_bits(Ext4Image& image, std::size_t offset, std::uint32_t bits) {
  put(image, offset, le32{get<le32>(image, offset) | bits});
}

TEST(Ext4SuperblockTest, InfoNamesWhatTheToolsName) {
  Ext4Image image("-t ext4 -L wurzel -U 0d1c5d2e-6f1a-4f7f-9a3c-2b1f3a4c5d6e", "4M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const FilesystemInfo& info = (*filesystem)->info();
  EXPECT_EQ(info.type, "ext4");
  EXPECT_EQ(info.label, "wurzel");
  EXPECT_EQ(info.uuid, "0d1c5d2e-6f1a-4f7f-9a3c-2b1f3a4c5d6e");
  EXPECT_EQ(info.state, "clean");
  EXPECT_EQ(info.size, 4U << 20);
  EXPECT_THAT(image.warnings, IsEmpty());
  std::string features;
  std::ranges::for_each(info.features, [&](const std::string& name) { features += " " + name; });
  EXPECT_THAT(image.output_of("dumpe2fs -h image"), HasSubstr(features + "\n"));
}

TEST(Ext4SuperblockTest, TypesAreThoseOfBlkid) {
  EXPECT_EQ((*Ext4Image("-t ext2", "1M").open())->info().type, "ext2");
  EXPECT_EQ((*Ext4Image("-t ext3", "4M").open())->info().type, "ext3");
  EXPECT_EQ((*Ext4Image("-t ext4 -O ^has_journal", "1M").open())->info().type, "ext4");
}

TEST(Ext4SuperblockTest, AFileSystemLargerThanItsVolumeIsRefusedWithBothSizes) {
  Ext4Image image("-t ext4 -b 1024", "4M");
  image.bytes().resize(3 << 20);
  const auto filesystem = image.open();
  ASSERT_EQ(code_of(filesystem), EINVAL);
  EXPECT_THAT(filesystem.error().what, HasSubstr("4096 blocks"));
  EXPECT_THAT(filesystem.error().what, HasSubstr("3145728 bytes"));
}

TEST(Ext4SuperblockTest, AWrongChecksumIsRefusedAndNoBackupIsTaken) {
  Ext4Image image("-t ext4 -b 1024", "20M");
  put(image, s_free_blocks_count, le32{7});
  EXPECT_EQ(code_of(image.open()), EBADMSG);
}

TEST(Ext4SuperblockTest, AJournalDeviceIsRefusedByName) {
  Ext4Image image("-t ext2", "1M");
  set_bits(image, s_feature_incompat, 0x8);
  const auto filesystem = image.open();
  ASSERT_EQ(code_of(filesystem), EOPNOTSUPP);
  EXPECT_THAT(filesystem.error().what, HasSubstr("jbd"));
}

TEST(Ext4SuperblockTest, UnknownIncompatibleFeaturesAreRefusedByName) {
  Ext4Image image("-t ext2", "1M");
  set_bits(image, s_feature_incompat, 0x80000001);
  const auto filesystem = image.open();
  ASSERT_EQ(code_of(filesystem), EOPNOTSUPP);
  EXPECT_THAT(filesystem.error().what, HasSubstr("compression, FEATURE_I31"));
}

TEST(Ext4SuperblockTest, UnknownReadOnlyCompatibleFeaturesAreNoReasonToRefuse) {
  Ext4Image image("-t ext2", "1M");
  set_bits(image, s_feature_ro_compat, 0x80000000);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT((*filesystem)->info().features, Contains("FEATURE_R31"));
}

TEST(Ext4SuperblockTest, FeaturesThatDoNotHideDataAreNoReasonToRefuse) {
  Ext4Image image(
      "-t ext4 -O quota,project,verity,casefold,encrypt,mmp,orphan_file,fast_commit,stable_inodes", "8M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(names_in(**filesystem, (*filesystem)->root()), ElementsAre(".", "..", "lost+found"));
}

TEST(Ext4SuperblockTest, AJournalToReplayGivesOneWarning) {
  Ext4Image image("-t ext3", "4M");
  set_bits(image, s_feature_incompat, 0x4);
  const auto filesystem = image.open(false);
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ((*filesystem)->info().state, "dirty");
  EXPECT_THAT(image.warnings, ElementsAre(HasSubstr("journal was not replayed")));
}

TEST(Ext4SuperblockTest, RecordedErrorsGiveAWarning) {
  Ext4Image image("-t ext2", "1M");
  put(image, s_state, le16{3});
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ((*filesystem)->info().state, "damaged");
  EXPECT_THAT(image.warnings, ElementsAre(HasSubstr("errors")));
}

TEST(Ext4SuperblockTest, DamagedGroupDescriptorsGiveAWarningAsInTheKernel) {
  Ext4Image image("-t ext4 -b 1024", "4M");
  put(image, 2048 + 0xc, le16{77});  // bg_free_blocks_count_lo
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(image.warnings, ElementsAre(HasSubstr("1 group descriptors")));
}

TEST(Ext4SuperblockTest, AnImpossibleInodeSizeIsRefused) {
  Ext4Image image("-t ext2", "1M");
  put(image, s_inode_size, le16{192});
  EXPECT_EQ(code_of(image.open()), EINVAL);
}

/// A source that goes on in zeros.
class LongSource final : public Source {
 public:
  LongSource(std::shared_ptr<const Source> start, std::uint64_t size)
      : Source(size), start_(std::move(start)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    return offset < start_->size() ? start_->map(offset, max_length) : Extent::zero(max_length);
  }

  const std::shared_ptr<const Source> start_;
};

/// What opening says of a file system with that many groups, of 64 blocks and 8 inodes each.
int code_of_groups(Ext4Image& image, std::uint32_t groups) {
  put(image, superblock + 0x0, le32{groups * 8});       // s_inodes_count
  put(image, superblock + 0x4, le32{groups * 64 + 1});  // s_blocks_count_lo
  put(image, superblock + 0x20, le32{64});              // s_blocks_per_group
  put(image, superblock + 0x28, le32{8});               // s_inodes_per_group
  const auto volume = std::make_shared<LongSource>(image.source(), std::uint64_t{1} << 42);
  return code_of(open_filesystem(volume, {}));
}

TEST(Ext4SuperblockTest, DescriptorsThatWouldFillTheMemoryAreNotRead) {
  Ext4Image image("-t ext2 -b 1024 -I 128", "1M");
  EXPECT_NE(code_of_groups(image, 1U << 18), EFBIG);
  EXPECT_EQ(code_of_groups(image, (1U << 23) + 1), EFBIG);
}

TEST(Ext4SuperblockTest, LargeDescriptorsThatWouldFillTheMemoryAreNotRead) {
  Ext4Image image("-t ext4 -b 1024 -I 128 -O 64bit,^metadata_csum", "1M");
  put(image, superblock + 0xfe, le16{1024});  // s_desc_size
  EXPECT_EQ(code_of_groups(image, (1U << 18) + 1), EFBIG);
  put(image, superblock + 0xfe, le16{96});
  EXPECT_EQ(code_of(image.open()), EINVAL);
}

/// No system can hold such a volume, so its superblock is all there is.
TEST(Ext4SuperblockTest, VolumesOfManyTerabytesAreNotRefused) {
  Ext4Image image("-t ext4 -b 4096 -O 64bit,^metadata_csum", "4M");
  constexpr std::uint32_t groups = 3U << 20;  // of 128 MiB: 384 TiB
  constexpr std::uint64_t blocks = std::uint64_t{groups} << 15;
  put(image, superblock + 0x0, le32{groups * 1024U});                              // s_inodes_count
  put(image, superblock + 0x4, le32{static_cast<std::uint32_t>(blocks)});          // s_blocks_count_lo
  put(image, superblock + 0x150, le32{static_cast<std::uint32_t>(blocks >> 32)});  // s_blocks_count_hi
  put(image, superblock + 0x28, le32{1024});                                       // s_inodes_per_group
  const auto read = ext4::read_superblock(*image.source());
  ASSERT_TRUE(read) << read.error().what;
  const auto geometry = ext4::check_geometry(*read, std::uint64_t{1} << 60);
  ASSERT_TRUE(geometry) << geometry.error().what;
  EXPECT_EQ(geometry->group_count, groups);
}

TEST(Ext4SuperblockTest, BlocksOf64KilobytesAreRead) {
  Ext4Image image("-t ext4 -b 65536", "32M", [](const std::filesystem::path& folder) {
    std::filesystem::create_directory(folder / "a");
    std::filesystem::create_symlink("target", folder / "a" / "link");
  });
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(*(*filesystem)->readlink(resolve(**filesystem, "a/link")), "target");
}

TEST(Ext4SuperblockTest, RevisionZeroIsRead) {
  Ext4Image image("-r 0 -O none", "1M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(names_in(**filesystem, (*filesystem)->root()), ElementsAre(".", "..", "lost+found"));
}

TEST(Ext4SuperblockTest, UsageIsThatOfTheSuperblock) {
  Ext4Image image("-t ext2 -b 1024 -N 64 -m 5 -U 0d1c5d2e-6f1a-4f7f-9a3c-2b1f3a4c5d6e", "1M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto usage = (*filesystem)->usage();
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->block_size, 1024U);
  EXPECT_EQ(usage->blocks_free, get<le32>(image, s_free_blocks_count));
  EXPECT_EQ(usage->blocks_free - usage->blocks_available, 51U);
  EXPECT_EQ(usage->files, 64U);
  EXPECT_EQ(usage->id, 0x7f4f1a6f2e5d1c0dU ^ 0x6e5d4c3a1f2b3c9aU);
}

}  // namespace
}  // namespace vmfs::test
