// SPDX-License-Identifier: MIT
// Damage of each kind of structure is an error of what it belongs to, and of nothing else.
#include <cerrno>
#include <cstddef>

#include <gtest/gtest.h>

#include "tests/unit/xfs_image.h"

namespace vmfs::tests {
namespace {

using namespace xfs;

constexpr std::size_t inode_crc = offsetof(Dinode, di_crc);
constexpr std::size_t data_crc = offsetof(Dir3DataHdr, crc);
constexpr std::size_t index_crc = offsetof(Da3Blkinfo, crc);

TEST(XfsInodeTest, WrongChecksumHurtsThatInodeOnly) {
  const XfsImage image("files");
  const Inode damaged = at(*image.opened(), "holes");
  image.flip(image.offset_of(damaged) + offsetof(Dinode, di_size) + 7);
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(filesystem->stat(damaged)), EUCLEAN);
  EXPECT_EQ(error_of(filesystem->open(damaged)), EUCLEAN);
  EXPECT_TRUE(filesystem->stat(at(*filesystem, "fifo")));
  EXPECT_TRUE(names_in(*filesystem, filesystem->root()));
}

TEST(XfsInodeTest, InodeOfAnotherNumberIsDamage) {
  const XfsImage image("files");
  const Inode inode = at(*image.opened(), "holes");
  image.disk->put(image.offset_of(inode) + offsetof(Dinode, di_ino), be64{1});
  image.seal(image.offset_of(inode), 512, inode_crc);
  EXPECT_EQ(error_of(image.opened()->stat(inode)), EUCLEAN);
}

TEST(XfsInodeTest, InodeThatIsNotInUseIsStale) {
  const XfsImage image("files");
  const Inode inode = at(*image.opened(), "holes");
  image.disk->put(image.offset_of(inode) + offsetof(Dinode, di_mode), be16{0});
  image.seal(image.offset_of(inode), 512, inode_crc);
  EXPECT_EQ(error_of(image.opened()->stat(inode)), ESTALE);
}

TEST(XfsInodeTest, NumberThatCannotBeIsStale) {
  const auto filesystem = XfsImage("plain").opened();
  EXPECT_EQ(error_of(filesystem->stat(Inode{0})), ESTALE);
  EXPECT_EQ(error_of(filesystem->stat(Inode{~0ULL})), ESTALE);
}

TEST(XfsInodeTest, MoreExtentsThanThereIsRoomForAreDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "block");
  image.disk->put(image.offset_of(inode) + offsetof(Dinode, di_nextents), be32{1000});
  image.seal(image.offset_of(inode), 512, inode_crc);
  EXPECT_EQ(error_of(image.opened()->stat(inode)), EUCLEAN);
}

TEST(XfsInodeTest, ForkBehindTheInodeIsDamage) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "short");
  image.disk->put(image.offset_of(inode) + offsetof(Dinode, di_forkoff), std::uint8_t{200});
  image.seal(image.offset_of(inode), 512, inode_crc);
  EXPECT_EQ(error_of(image.opened()->stat(inode)), EUCLEAN);
}

TEST(XfsInodeTest, RealtimeFileHasAttributesButNoContents) {
  const XfsImage image("files");
  const Inode inode = at(*image.opened(), "holes");
  image.disk->put(image.offset_of(inode) + offsetof(Dinode, di_flags), be16{1});
  image.seal(image.offset_of(inode), 512, inode_crc);
  const auto filesystem = image.opened();
  EXPECT_TRUE(filesystem->stat(inode));
  EXPECT_EQ(error_of(filesystem->open(inode)), EOPNOTSUPP);
}

TEST(XfsExtentTest, ExtentOutsideTheFileSystemIsDamage) {
  const XfsImage image("files");
  const Inode inode = at(*image.opened(), "holes");
  image.disk->put(image.offset_of(inode) + sizeof(Dinode) + 8, be64{~0ULL});
  image.seal(image.offset_of(inode), 512, inode_crc);
  EXPECT_EQ(error_of(image.opened()->open(inode)), EUCLEAN);
}

TEST(XfsExtentTest, TreeBlockWithAWrongChecksumHurtsWhatItMapsOnly) {
  const XfsImage image("files");
  const auto before = image.opened();
  const Inode inode = at(*before, "tree");
  image.flip(image.find<be32>(bmap_crc_magic, 0, inode, offsetof(BtreeLblock, bb_owner)) + 200);
  const auto filesystem = image.opened();
  const auto file = filesystem->open(inode);
  ASSERT_TRUE(file);
  const bool first = (*file)->map(0, 1).has_value();
  const bool last = (*file)->map((*file)->size() - 1, 1).has_value();
  EXPECT_NE(first, last);
}

TEST(XfsExtentTest, TreeBlockOfAnotherInodeIsDamage) {
  const XfsImage image("directory-tree");
  const Inode inode = at(*image.opened(), "tree");
  const std::uint64_t block = image.find<be32>(bmap_crc_magic, 0, inode, offsetof(BtreeLblock, bb_owner));
  image.disk->put(block + offsetof(BtreeLblock, bb_owner), be64{128});
  image.seal(block, image.superblock.sb_blocksize, offsetof(BtreeLblock, bb_crc));
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(names_in(*filesystem, inode)), EUCLEAN);
  EXPECT_TRUE(filesystem->stat(inode));
}

TEST(XfsExtentTest, TreeThatIsItsOwnChildIsDamage) {
  const XfsImage image("directory-tree");
  const Inode inode = at(*image.opened(), "tree");
  const std::uint64_t block = image.find<be32>(bmap_crc_magic, 0, inode, offsetof(BtreeLblock, bb_owner));
  image.disk->put(block + offsetof(BtreeLblock, bb_level), be16{1});
  image.seal(block, image.superblock.sb_blocksize, offsetof(BtreeLblock, bb_crc));
  EXPECT_EQ(error_of(names_in(*image.opened(), inode)), EUCLEAN);
}

TEST(XfsDirectoryTest, DataBlockWithAWrongChecksumHurtsItsDirectoryOnly) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "block");
  image.flip(image.find_data(dir_magic::block3, inode) + 100);
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(names_in(*filesystem, inode)), EUCLEAN);
  EXPECT_EQ(error_of(filesystem->lookup(inode, "3")), EUCLEAN);
  EXPECT_TRUE(names_in(*filesystem, at(*filesystem, "leaf")));
}

TEST(XfsDirectoryTest, EntryThatIsLongerThanItsBlockIsDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "block");
  const std::uint64_t block = image.find_data(dir_magic::block3, inode);
  image.disk->put(block + sizeof(Dir3DataHdr) + offsetof(DirDataEntry, namelen), std::uint8_t{0});
  image.seal(block, 1U << (image.superblock.sb_blocklog + image.superblock.sb_dirblklog), data_crc);
  EXPECT_EQ(error_of(names_in(*image.opened(), inode)), EUCLEAN);
}

TEST(XfsDirectoryTest, NameThatIsAPathIsDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "block");
  const std::uint64_t block = image.find_data(dir_magic::block3, inode);
  image.disk->put(block + sizeof(Dir3DataHdr) + sizeof(DirDataEntry), '/');
  image.seal(block, 1U << (image.superblock.sb_blocklog + image.superblock.sb_dirblklog), data_crc);
  EXPECT_EQ(error_of(names_in(*image.opened(), inode)), EUCLEAN);
}

TEST(XfsDirectoryTest, IndexWithAWrongChecksumHurtsLookupsOnly) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "leaf");
  image.flip(image.find_index(da_magic::dir3_leaf1, inode) + 100);
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(filesystem->lookup(inode, "3")), EUCLEAN);
  EXPECT_TRUE(names_in(*filesystem, inode));
}

TEST(XfsDirectoryTest, IndexNodeThatIsItsOwnChildIsDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "node");
  const std::uint64_t block = image.find_index(da_magic::node3, inode);
  const std::uint64_t entries = block + sizeof(Da3Blkinfo) + sizeof(DaNodeCount) + 4;
  const auto root = static_cast<std::uint32_t>(dir_leaf_offset >> image.superblock.sb_blocklog);
  image.disk->put(entries + offsetof(DaNodeEntry, before), be32{root});
  image.disk->put(entries + sizeof(DaNodeEntry) + offsetof(DaNodeEntry, before), be32{root});
  image.seal(block, 1U << (image.superblock.sb_blocklog + image.superblock.sb_dirblklog), index_crc);
  EXPECT_EQ(error_of(image.opened()->lookup(inode, "3")), EUCLEAN);
}

TEST(XfsDirectoryTest, IndexBlockOfAnotherPlaceIsDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "leaf");
  const std::uint64_t block = image.find_index(da_magic::dir3_leaf1, inode);
  image.disk->put(block + offsetof(Da3Blkinfo, blkno), be64{77});
  image.seal(block, 1U << (image.superblock.sb_blocklog + image.superblock.sb_dirblklog), index_crc);
  EXPECT_EQ(error_of(image.opened()->lookup(inode, "3")), EUCLEAN);
}

TEST(XfsDirectoryTest, ShortDirectoryWithABadLengthIsDamage) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "short");
  const std::uint64_t offset = image.offset_of(inode);
  image.disk->put(offset + sizeof(Dinode) + sizeof(DirSfHdr) + 4, std::uint8_t{250});
  image.seal(offset, 512, inode_crc);
  EXPECT_EQ(error_of(names_in(*image.opened(), inode)), EUCLEAN);
}

TEST(XfsLinkTest, WrongChecksumHurtsThatLinkOnly) {
  const XfsImage image("directories");
  const Inode inode = at(*image.opened(), "long-link");
  image.flip(image.find<be32>(symlink_magic, 0, inode, offsetof(DsymlinkHdr, sl_owner)) + 100);
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(filesystem->readlink(inode)), EUCLEAN);
  EXPECT_EQ(filesystem->readlink(at(*filesystem, "link")).value_or("?"), "block");
}

TEST(XfsAttributeTest, LeafWithAWrongChecksumHurtsItsAttributesOnly) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "leaf");
  image.flip(image.find_index(da_magic::attr3_leaf, inode) + 100);
  const auto filesystem = image.opened();
  EXPECT_EQ(error_of(filesystem->xattr_names(inode)), EUCLEAN);
  EXPECT_EQ(error_of(filesystem->xattr(inode, "user.name-1")), EUCLEAN);
  EXPECT_TRUE(filesystem->stat(inode));
  EXPECT_TRUE(filesystem->xattr_names(at(*filesystem, "short")));
}

TEST(XfsAttributeTest, ValueBlockWithAWrongChecksumHurtsThatValueOnly) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "remote");
  image.flip(image.find<be32>(attr_remote_magic, 0, inode, offsetof(Attr3RmtHdr, rm_owner)) + 100);
  const auto filesystem = image.opened();
  EXPECT_TRUE(filesystem->xattr_names(inode));
  const bool first = filesystem->xattr(inode, "user.remote").has_value();
  const bool second = filesystem->xattr(inode, "security.remote").has_value();
  EXPECT_NE(first, second);
}

TEST(XfsAttributeTest, LeavesThatFormARingAreDamage) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "node");
  const std::uint64_t block = image.find_index(da_magic::attr3_leaf, inode);
  const auto back = *read_struct<be32>(*image.disk, block + offsetof(DaBlkinfo, back));
  image.disk->put(block + offsetof(DaBlkinfo, forw), be32{back != 0 ? std::uint32_t{back} : 1U});
  image.seal(block, image.superblock.sb_blocksize, index_crc);
  EXPECT_EQ(error_of(image.opened()->xattr_names(inode)), EUCLEAN);
}

TEST(XfsAttributeTest, NameOutsideItsLeafIsDamage) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "leaf");
  const std::uint64_t block = image.find_index(da_magic::attr3_leaf, inode);
  const std::uint64_t entries = block + sizeof(Da3Blkinfo) + sizeof(AttrLeafCount) + 4;
  image.disk->put(entries + offsetof(AttrLeafEntry, nameidx), be16{1020});
  image.seal(block, image.superblock.sb_blocksize, index_crc);
  EXPECT_EQ(error_of(image.opened()->xattr_names(inode)), EUCLEAN);
}

}  // namespace
}  // namespace vmfs::tests
