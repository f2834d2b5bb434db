// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/ext4/disk_inode.h"
#include "fs/ext4/journal/fast_commit.h"
#include "tests/unit/ext4_journal_image.h"

namespace vmfs::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t fast_blocks = 64;
constexpr std::uint32_t root = 2;

template <class T>
std::string bytes_of(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file system with the files "data" and "other" of one block each, one empty transaction in the log, and
/// fast commits written by hand behind it.
class FastDisk {
 public:
  explicit FastDisk(const std::string& features = "^metadata_csum")
      : image("-t ext4 -b 1024 -I 256 -J size=2 -O fast_commit," + features, "8M",
              [](const auto& folder) {
                std::ofstream(folder / "data") << std::string(1024, 'o');
                std::ofstream(folder / "other") << std::string(1024, 'x');
              }),
        journal(image, 0, ext4::journal_fast_commit) {
    journal.superblock.s_num_fc_blks = fast_blocks;
    journal.write_superblock();
    data = inode_of("data");
    other = inode_of("other");
    next_ = journal.superblock.s_maxlen - fast_blocks + 1;
    add(ext4::fast_head, bytes_of(le32{0}) + bytes_of(le32{journal.sequence}));
  }

  std::uint32_t inode_of(const std::string& path) {
    const auto filesystem = image.open(false);
    image.warnings.clear();
    return static_cast<std::uint32_t>(resolve(**filesystem, path));
  }

  void add(std::uint16_t tag, const std::string& value) {
    if (text_.size() + 8 + value.size() > JournalWriter::block_size) pad();
    text_ += bytes_of(le16{tag}) + bytes_of(le16{static_cast<std::uint16_t>(value.size())}) + value;
  }

  void name(std::uint16_t tag, std::uint32_t inode, const std::string& text) {
    add(tag, bytes_of(le32{root}) + bytes_of(le32{inode}) + text);
  }

  void range(std::uint32_t inode, std::uint32_t logical, std::uint64_t first) {
    add(ext4::fast_add_range, bytes_of(le32{inode}) + bytes_of(le32{logical}) + bytes_of(le16{1}) +
                                  bytes_of(le16{0}) + bytes_of(le32{static_cast<std::uint32_t>(first)}));
  }

  void finish(std::uint32_t spoil = 0) {
    if (text_.size() + 12 > JournalWriter::block_size) pad();
    const std::size_t rest = JournalWriter::block_size - text_.size() - 4;
    text_ += bytes_of(le16{ext4::fast_tail}) + bytes_of(le16{static_cast<std::uint16_t>(rest)}) +
             bytes_of(le32{journal.sequence});
    crc_ = crc32c(crc_, std::as_bytes(std::span(text_)));
    text_ += bytes_of(le32{crc_ ^ spoil});
    flush();
    crc_ = 0;
  }

  Result<std::shared_ptr<const Filesystem>> open() { return image.open(); }

  Ext4Image image;
  JournalWriter journal;
  std::uint32_t data = 0;
  std::uint32_t other = 0;

 private:
  void pad() {
    const std::size_t rest = JournalWriter::block_size - text_.size() - 4;
    text_ += bytes_of(le16{ext4::fast_pad}) + bytes_of(le16{static_cast<std::uint16_t>(rest)});
    text_.resize(JournalWriter::block_size);
    crc_ = crc32c(crc_, std::as_bytes(std::span(text_)));
    flush();
  }

  void flush() {
    text_.resize(JournalWriter::block_size);
    std::memcpy(journal.block(next_++).data(), text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
  std::uint32_t next_ = 0;
  std::uint32_t crc_ = 0;
};

TEST(Ext4FastCommitTest, RangesAndInodesAreReplaced) {
  FastDisk disk;
  const auto place = disk.journal.blocks_of("/other").at(0);
  disk.range(disk.data, 1, place);
  std::string inode(160, '\0');
  ext4::DiskInode fields{};
  fields.i_mode = std::uint16_t{0100600};
  fields.i_size_lo = 2048U;
  fields.i_links_count = std::uint16_t{1};
  fields.i_flags = 0x80000U;
  fields.i_extra_isize = std::uint16_t{32};
  std::memcpy(inode.data(), &fields, sizeof fields);
  disk.add(ext4::fast_inode, bytes_of(le32{disk.data}) + inode);
  disk.finish();
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, "data"), std::string(1024, 'o') + std::string(1024, 'x'));
  EXPECT_EQ((*filesystem)->stat(Inode{disk.data})->blocks, 4U);
  EXPECT_EQ((*filesystem)->stat(Inode{disk.data})->mode, 0100600U);
  EXPECT_THAT(disk.image.warnings, ElementsAre(HasSubstr("and fast commits (2 changes)")));
}

TEST(Ext4FastCommitTest, DeletedRangesAreHoles) {
  FastDisk disk;
  disk.add(ext4::fast_del_range, bytes_of(le32{disk.data}) + bytes_of(le32{0}) + bytes_of(le32{1}));
  disk.finish();
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, "data"), std::string(1024, '\0'));
}

TEST(Ext4FastCommitTest, NamesComeAndGo) {
  FastDisk disk;
  disk.name(ext4::fast_link, disk.data, "second");
  disk.name(ext4::fast_unlink, disk.data, "data");
  disk.name(ext4::fast_unlink, disk.other, "other");
  disk.finish();
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto names = names_in(**filesystem, (*filesystem)->root());
  EXPECT_THAT(names, Contains("second"));
  EXPECT_THAT(names, Not(Contains("data")));
  EXPECT_THAT(names, Not(Contains("other")));
  EXPECT_EQ(contents_of(**filesystem, "second"), std::string(1024, 'o'));
  EXPECT_EQ((*filesystem)->stat(Inode{disk.data})->links, 1U);
  EXPECT_EQ(code_of((*filesystem)->stat(Inode{disk.other})), ESTALE);
}

class Ext4FastDirectoryTest : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(All, Ext4FastDirectoryTest,
                         testing::Values("^metadata_csum,^dir_index", "^metadata_csum,dir_index"));

TEST_P(Ext4FastDirectoryTest, DirectoriesGrow) {
  FastDisk disk(GetParam());
  for (int i = 0; i < 60; ++i)
    disk.name(ext4::fast_link, disk.data, fmt::format("{}{}", std::string(90, 'n'), i));
  disk.finish();
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, fmt::format("{}{}", std::string(90, 'n'), 59)), std::string(1024, 'o'));
  EXPECT_EQ(names_in(**filesystem, (*filesystem)->root()).size(), 65U);
}

TEST(Ext4FastCommitTest, UnfinishedFastCommitsAreNotReplayed) {
  FastDisk disk;
  disk.name(ext4::fast_link, disk.data, "first");
  disk.finish();
  disk.name(ext4::fast_link, disk.data, "second");
  disk.finish(1);
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto names = names_in(**filesystem, (*filesystem)->root());
  EXPECT_THAT(names, Contains("first"));
  EXPECT_THAT(names, Not(Contains("second")));
}

TEST(Ext4FastCommitTest, FastCommitsOfAnotherTransactionAreNotReplayed) {
  FastDisk disk;
  disk.name(ext4::fast_link, disk.data, "first");
  disk.finish();
  disk.journal.log(disk.journal.blocks_of("/other").at(0), std::string(1024, 'y'));
  disk.journal.commit();
  const auto filesystem = disk.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(names_in(**filesystem, (*filesystem)->root()), Not(Contains("first")));
}

TEST(Ext4FastCommitTest, RangesOutsideTheFileSystemAreRefused) {
  FastDisk disk;
  disk.range(disk.data, 0, 8192);
  disk.finish();
  EXPECT_EQ(code_of(disk.open()), EUCLEAN);
}

}  // namespace
}  // namespace vmfs::test
