// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/endian.h"
#include "tests/unit/ext4_image.h"

namespace vmfs::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// 1 KiB of text that no other position has.
std::string text_at(std::uint64_t position) {
  std::string text;
  while (text.size() < 1024) text += fmt::format("{:015x}\n", position + text.size());
  return text;
}

/// A file of single blocks with holes between them, as far as the third level of indirection.
void write_islands(const std::filesystem::path& folder) {
  std::ofstream file(folder / "islands", std::ios::binary);
  const auto island = [&](std::uint64_t position) {
    file.seekp(static_cast<std::streamoff>(position));
    file << text_at(position);
  };
  for (std::uint64_t i = 0; i < 600; ++i) island(i * 3072);
  island(std::uint64_t{70} << 20);
}

/// What is wrong with a file of write_islands(); empty if nothing is.
std::string check_islands(const Filesystem& filesystem) {
  const std::string text = contents_of(filesystem, "islands");
  if (text.size() != (70U << 20) + 1024) return fmt::format("size {}: {:.100}", text.size(), text);
  std::string expected(text.size(), '\0');
  for (std::uint64_t i = 0; i < 600; ++i) expected.replace(i * 3072, 1024, text_at(i * 3072));
  expected.replace(70U << 20, 1024, text_at(70U << 20));
  const auto [left, right] = std::ranges::mismatch(text, expected);
  return left == text.end() ? "" : fmt::format("differs at {}", left - text.begin());
}

TEST(Ext4FileTest, ExtentTreesAreFollowed) {
  Ext4Image image("-t ext4 -b 1024", "8M", write_islands);
  EXPECT_THAT(image.output_of("debugfs -R 'ex islands' image"), HasSubstr(" 2/ 2 "));
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(check_islands(**filesystem), "");
}

TEST(Ext4FileTest, IndirectBlocksAreFollowedToTheThirdLevel) {
  Ext4Image image("-t ext2 -b 1024", "8M", write_islands);
  EXPECT_THAT(image.output_of("debugfs -R 'stat islands' image"), HasSubstr("(TIND)"));
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(check_islands(**filesystem), "");
}

TEST(Ext4FileTest, ClustersOfBigallocAreReadInBlocks) {
  Ext4Image image("-t ext4 -b 1024 -O bigalloc -C 16384", "40M", write_islands);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(check_islands(**filesystem), "");
}

TEST(Ext4FileTest, HolesAndUnwrittenExtentsAreOneZeroRun) {
  Ext4Image image("-t ext4 -b 1024", "4M", [](const auto& folder) {
    std::ofstream(folder / "f") << "";
    std::filesystem::resize_file(folder / "f", 100 << 10);
  });
  image.debugfs("fallocate f 3 40");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto file = (*filesystem)->open(resolve(**filesystem, "f"));
  ASSERT_TRUE(file);
  const auto extent = (*file)->map(500, 1 << 20);
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->kind, Extent::Kind::zero);
  EXPECT_EQ(extent->length, (100U << 10) - 500);
}

TEST(Ext4FileTest, ARunOfBlocksIsOneExtent) {
  Ext4Image image("-t ext4 -b 1024", "4M",
                  [](const auto& folder) { std::ofstream(folder / "f") << std::string(300 << 10, 'x'); });
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto file = (*filesystem)->open(resolve(**filesystem, "f"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->map(1000, UINT64_MAX)->length, (300U << 10) - 1000);
}

TEST(Ext4FileTest, InlineDataIsReadFromTheInode) {
  const std::string text(110, 'i');
  Ext4Image image("-t ext4 -I 256 -O inline_data", "4M", [&](const auto& folder) {
    std::ofstream(folder / "short") << "abc";
    std::ofstream(folder / "long") << text;
  });
  EXPECT_THAT(image.output_of("debugfs -R 'stat long' image"), HasSubstr("system.data"));
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, "short"), "abc");
  EXPECT_EQ(contents_of(**filesystem, "long"), text);
}

TEST(Ext4FileTest, InlineDataOfALargerFileIsFollowedByZeros) {
  Ext4Image image("-t ext4 -O inline_data", "4M",
                  [](const auto& folder) { std::ofstream(folder / "f") << "abc"; });
  image.debugfs("set_inode_field f size 5000");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, "f"), std::string("abc") + std::string(4997, '\0'));
}

TEST(Ext4FileTest, EncryptedContentsNeedTheirKey) {
  Ext4Image image("-t ext4 -O encrypt", "4M",
                  [](const auto& folder) { std::ofstream(folder / "f") << "abc"; });
  image.debugfs("set_inode_field f flags 0x80800");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(code_of((*filesystem)->open(resolve(**filesystem, "f"))), ENOKEY);
}

TEST(Ext4FileTest, SymbolicLinksAreReadFromInodeAndBlock) {
  const std::string fast(59, 'f');
  const std::string slow(60, 's');
  Ext4Image image("-t ext4", "4M", [&](const auto& folder) {
    std::filesystem::create_symlink(fast, folder / "fast");
    std::filesystem::create_symlink(slow, folder / "slow");
  });
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(*(*filesystem)->readlink(resolve(**filesystem, "fast")), fast);
  EXPECT_EQ(*(*filesystem)->readlink(resolve(**filesystem, "slow")), slow);
}

/// An image with a file `f` of one block, whose i_block begins with the extent header; its bytes.
void with_damaged_header(std::size_t field, std::uint16_t value, const std::string& message) {
  Ext4Image image("-t ext4 -b 1024 -O ^metadata_csum", "4M",
                  [](const auto& folder) { std::ofstream(folder / "f") << "abc"; });
  const std::string entry = image.output_of("debugfs -R 'imap f' image");
  unsigned block = 0;
  unsigned offset = 0;
  const std::size_t at = entry.find("located at block ");
  ASSERT_NE(at, std::string::npos) << entry;
  ASSERT_EQ(std::sscanf(entry.c_str() + at, "located at block %u, offset %x", &block, &offset), 2);
  const le16 disk = value;
  std::memcpy(image.bytes().data() + std::size_t{block} * 1024 + offset + 40 + field, &disk, sizeof disk);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(contents_of(**filesystem, "f"), StartsWith("error: ext4: inode 12: extent"));
  EXPECT_THAT(contents_of(**filesystem, "f"), HasSubstr(message));
}

TEST(Ext4FileTest, DamagedExtentHeadersAreNamed) {
  with_damaged_header(0, 0x1234, "eh_magic 0x1234");
  with_damaged_header(2, 5, "5 entries of 4");
  with_damaged_header(4, 9, "room for 4");
  with_damaged_header(6, 6, "eh_depth 6");
}

TEST(Ext4FileTest, DamagedExtentsAreNamed) {
  with_damaged_header(12 + 4, 0, "extent of 0 blocks");
  with_damaged_header(12 + 6, 1, "of 4096");
}

TEST(Ext4FileTest, AnExtentBlockWithAWrongChecksumIsRefused) {
  Ext4Image image("-t ext4 -b 1024", "8M", write_islands);
  const std::string dump = image.output_of("debugfs -R 'ex islands' image");
  unsigned block = 0;
  ASSERT_EQ(std::sscanf(dump.c_str() + dump.find(" 1/ 2"), " 1/ 2 %*u/ %*u %*u - %*u %u", &block), 1) << dump;
  image.bytes()[std::size_t{block} * 1024 + 8] ^= std::byte{1};
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto file = (*filesystem)->open(resolve(**filesystem, "islands"));
  ASSERT_TRUE(file);
  EXPECT_EQ(code_of((*file)->map(0, 1)), EBADMSG);
}

}  // namespace
}  // namespace vmfs::test
