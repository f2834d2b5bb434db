// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <set>
#include <thread>

#include <dirent.h>

#include <gtest/gtest.h>

#include "tests/unit/xfs_image.h"

namespace vmfs::tests {
namespace {

using namespace xfs;

// Lists a directory `step` entries at a time, going on with the cookie of the last.
std::vector<std::string> names_by_steps(const Filesystem& filesystem, Inode directory, std::size_t step) {
  std::vector<std::string> names;
  std::uint64_t cookie = 0;
  for (std::size_t before = names.size() + 1; before != names.size();) {
    before = names.size();
    const auto done = filesystem.list(directory, cookie, [&](const DirectoryEntry& entry) {
      if (names.size() == before + step) return false;
      names.emplace_back(entry.name);
      cookie = entry.next;
      return true;
    });
    EXPECT_TRUE(done);
  }
  return names;
}

// Looks up everything below a directory, and reads links and attributes.
std::size_t walk(const Filesystem& filesystem, Inode directory) {
  std::size_t count = 0;
  const auto names = names_in(filesystem, directory);
  if (!names) return 0;
  for (const std::string& name : *names) {
    const auto inode = filesystem.lookup(directory, name);
    if (!inode || name == "." || name == "..") continue;
    const auto attributes = filesystem.stat(*inode);
    if (!attributes) continue;
    ++count;
    count += filesystem.xattr_names(*inode).value_or(std::vector<std::string>{}).size();
    if (S_ISDIR(attributes->mode)) count += walk(filesystem, *inode);
  }
  return count;
}

struct Shape {
  std::string name;
  std::string image;
  std::string directory;
};

class XfsDirectoryShapeTest : public testing::TestWithParam<Shape> {};

TEST_P(XfsDirectoryShapeTest, ListsTheSameInOneGoAndByCookies) {
  const auto filesystem = XfsImage(GetParam().image).opened();
  const Inode directory = at(*filesystem, GetParam().directory);
  const auto names = names_in(*filesystem, directory).value_or(std::vector<std::string>{});
  EXPECT_GT(names.size(), 5U);
  EXPECT_EQ(names_by_steps(*filesystem, directory, 1), names);
  EXPECT_EQ(names_by_steps(*filesystem, directory, 7), names);
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
}

TEST_P(XfsDirectoryShapeTest, FindsWhatItListsAndNothingElse) {
  const auto filesystem = XfsImage(GetParam().image).opened();
  const Inode directory = at(*filesystem, GetParam().directory);
  const auto done = filesystem->list(directory, 0, [&](const DirectoryEntry& entry) {
    EXPECT_EQ(filesystem->lookup(directory, entry.name).value_or(Inode{}), entry.inode) << entry.name;
    EXPECT_LT(entry.next, 1ULL << 63U);
    return entry.next != 0;
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(error_of(filesystem->lookup(directory, "absent")), ENOENT);
  EXPECT_EQ(error_of(filesystem->lookup(directory, "")), ENOENT);
}

INSTANTIATE_TEST_SUITE_P(AllShapes, XfsDirectoryShapeTest,
                         testing::Values(Shape{"Short", "directories", "short"},
                                         Shape{"Block", "directories", "block"},
                                         Shape{"Leaf", "directories", "leaf"},
                                         Shape{"Node", "directories", "node"},
                                         Shape{"Tree", "directory-tree", "tree"}, Shape{"OldShort", "v4", ""},
                                         Shape{"OldBlock", "v4", "block"}, Shape{"OldLeaf", "v4", "leaf"}),
                         [](const auto& instance) { return instance.param.name; });

TEST(XfsReadTest, DirectoryListsTypesAndItself) {
  const auto filesystem = XfsImage("files").opened();
  std::vector<std::string> seen;
  const auto done = filesystem->list(filesystem->root(), 0, [&](const DirectoryEntry& entry) {
    seen.push_back(fmt::format("{} {}", entry.name, entry.type));
    return true;
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(seen[0], fmt::format(". {}", int{DT_DIR}));
  EXPECT_EQ(seen[1], fmt::format(".. {}", int{DT_DIR}));
  EXPECT_NE(std::ranges::find(seen, fmt::format("null {}", int{DT_CHR})), seen.end());
  EXPECT_NE(std::ranges::find(seen, fmt::format("fifo {}", int{DT_FIFO})), seen.end());
}

TEST(XfsReadTest, NamesMatchInAnyCaseWhereTheFileSystemSaysSo) {
  const XfsImage image("v4");
  EXPECT_EQ(error_of(image.opened()->lookup(at(*image.opened(), "leaf"), "Entry-Number-17")), ENOENT);
  image.disk->put(offsetof(Dsb, sb_versionnum),
                  be16{static_cast<std::uint16_t>(image.superblock.sb_versionnum | version::borg)});
  const auto filesystem = image.opened();
  const Inode directory = at(*filesystem, "leaf");
  EXPECT_EQ(filesystem->lookup(directory, "Entry-Number-17").value_or(Inode{}),
            filesystem->lookup(directory, "entry-number-17").value_or(Inode{1}));
}

TEST(XfsReadTest, ListingBehindTheEndIsEmpty) {
  const auto filesystem = XfsImage("directories").opened();
  const auto never = [](const DirectoryEntry&) {
    ADD_FAILURE();
    return true;
  };
  EXPECT_TRUE(filesystem->list(at(*filesystem, "node"), ~0ULL >> 1U, never));
  EXPECT_TRUE(filesystem->list(at(*filesystem, "short"), ~0ULL >> 1U, never));
}

TEST(XfsReadTest, FileOfHolesAndUnwrittenExtentsIsZeroThere) {
  const auto filesystem = XfsImage("files").opened();
  const auto file = filesystem->open(at(*filesystem, "holes"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->size(), 61440U);
  EXPECT_NE((*file)->map(0, 100000)->kind, Extent::Kind::zero);
  const auto hole = (*file)->map(9216, 100000);
  EXPECT_EQ(hole->kind, Extent::Kind::zero);
  EXPECT_EQ((*file)->map(20480, 100000)->kind, Extent::Kind::zero);
}

TEST(XfsReadTest, RunsEndWhereTheyEndFromEveryOffset) {
  const auto filesystem = XfsImage("files").opened();
  const auto tree = *filesystem->open(at(*filesystem, "tree"));  // every second block of 1024 bytes
  EXPECT_EQ(tree->map(0, 5000)->length, 1024U);
  EXPECT_EQ(tree->map(100, 1023)->length, 924U);
  EXPECT_EQ(tree->map(1023, 1023)->length, 1U);
  EXPECT_EQ(tree->map(1500, 1023)->length, 548U);
  EXPECT_EQ(tree->map(1500, 20)->length, 20U);
  const auto holes = *filesystem->open(at(*filesystem, "holes"));
  EXPECT_EQ(holes->map(9000, 1000)->length, 216U);
  EXPECT_EQ(holes->map(9300, 100000)->length, 61440U - 9300U);
}

TEST(XfsReadTest, WhatIsNotOfTheRightTypeIsRefused) {
  const auto filesystem = XfsImage("directories").opened();
  const Inode directory = at(*filesystem, "block");
  const Inode file = at(*filesystem, "block/3");
  EXPECT_EQ(error_of(filesystem->open(directory)), EISDIR);
  EXPECT_EQ(error_of(filesystem->lookup(file, "x")), ENOTDIR);
  EXPECT_EQ(error_of(filesystem->readlink(file)), EINVAL);
  EXPECT_EQ(error_of(filesystem->xattr(file, "user.absent")), ENODATA);
  EXPECT_EQ(error_of(filesystem->xattr(file, "other.absent")), EOPNOTSUPP);
}

TEST(XfsReadTest, AttributesOfEveryShapeHaveTheirValues) {
  const auto filesystem = XfsImage("attributes").opened();
  EXPECT_EQ(filesystem->xattr(at(*filesystem, "short"), "trusted.two").value_or("?"), "2");
  EXPECT_EQ(filesystem->xattr(at(*filesystem, "leaf"), "user.name-7").value_or("?"),
            fmt::format("{:030}", 7));
  EXPECT_EQ(filesystem->xattr(at(*filesystem, "node"), "user.name-77").value_or("?"),
            fmt::format("{:030}", 77));
  EXPECT_EQ(filesystem->xattr(at(*filesystem, "remote"), "user.remote").value_or("?"),
            fmt::format("{:03000}", 1));
  EXPECT_EQ(error_of(filesystem->xattr(at(*filesystem, "node"), "trusted.name-77")), ENODATA);
}

TEST(XfsReadTest, ParentPointersAndIncompleteAttributesAreHidden) {
  const XfsImage image("attributes");
  const Inode inode = at(*image.opened(), "leaf");
  const auto before = image.opened()->xattr_names(inode)->size();
  const std::uint64_t block = image.find_index(da_magic::attr3_leaf, inode);
  const std::uint64_t entries = block + sizeof(Da3Blkinfo) + sizeof(AttrLeafCount) + 4;
  const std::uint64_t flags = entries + offsetof(AttrLeafEntry, flags);
  image.disk->put(flags, static_cast<std::uint8_t>(attr_flag::local | attr_flag::parent));
  image.disk->put(flags + sizeof(AttrLeafEntry),
                  static_cast<std::uint8_t>(attr_flag::local | attr_flag::incomplete));
  image.seal(block, image.superblock.sb_blocksize, offsetof(Da3Blkinfo, crc));
  EXPECT_EQ(image.opened()->xattr_names(inode)->size(), before - 2);
}

TEST(XfsReadTest, AccessControlListHasTheFormOfTheKernel) {
  const auto filesystem = XfsImage("attributes").opened();
  const Inode inode = at(*filesystem, "short");
  const auto list = filesystem->xattr(inode, "system.posix_acl_access");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 4U + 5 * 8);
  EXPECT_EQ(list->substr(0, 4), std::string("\2\0\0\0", 4));
  EXPECT_EQ(list->substr(12, 8), std::string("\2\0\6\0\xe8\3\0\0", 8));
  EXPECT_EQ(error_of(filesystem->xattr(inode, "system.posix_acl_default")), ENODATA);
}

TEST(XfsReadTest, TimesBefore1970AndAfter2038AreRight) {
  const XfsImage image("files");
  const Inode inode = at(*image.opened(), "holes");
  const std::uint64_t offset = image.offset_of(inode);
  image.disk->put(offset + offsetof(Dinode, di_mtime), be64{1});
  image.disk->put(offset + offsetof(Dinode, di_atime), be64{18446744072'999999999ULL});
  image.seal(offset, 512, offsetof(Dinode, di_crc));
  const auto attributes = image.opened()->stat(inode);
  ASSERT_TRUE(attributes);
  EXPECT_EQ(attributes->modified.tv_sec, -2147483648LL);
  EXPECT_EQ(attributes->modified.tv_nsec, 1);
  EXPECT_EQ(attributes->accessed.tv_sec, 18446744072LL - 2147483648LL);
  EXPECT_EQ(attributes->accessed.tv_nsec, 999999999);
}

TEST(XfsReadTest, ManyThreadsWalkAtOnce) {
  const auto filesystem = XfsImage("attributes").opened();
  const std::size_t expected = walk(*filesystem, filesystem->root());
  std::atomic<std::size_t> wrong = 0;
  const auto work = [&] { wrong += walk(*filesystem, filesystem->root()) == expected ? 0U : 1U; };
  std::vector<std::jthread> threads(4);
  std::ranges::generate(threads, [&] { return std::jthread(work); });
  threads.clear();
  EXPECT_GT(expected, 100U);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace vmfs::tests
