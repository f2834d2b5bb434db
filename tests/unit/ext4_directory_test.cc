// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include <dirent.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/endian.h"
#include "tests/unit/ext4_image.h"
#include "tests/unit/mapped_source.h"

namespace vmfs::test {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

/// Four of these names fill a block of 1 KiB.
std::string file_name(int number) {
  return fmt::format("{:04}-{}", number, std::string(230, 'n'));
}

/// A folder `many` with 500 files, which needs an index of two levels in blocks of 1 KiB.
void make_many(const std::filesystem::path& folder) {
  std::filesystem::create_directory(folder / "many");
  for (int i = 0; i < 500; ++i) std::ofstream(folder / "many" / file_name(i)) << "";
}

std::vector<std::string> many_names() {
  std::vector<std::string> names = {".", ".."};
  for (int i = 0; i < 500; ++i) names.push_back(file_name(i));
  return names;
}

/// Names that lookup() does not find, or finds with another inode than list() gives.
std::vector<std::string> lost_names(const Filesystem& filesystem, Inode directory) {
  std::vector<std::string> lost;
  const auto done = filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
    const auto found = filesystem.lookup(directory, entry.name);
    if (!found || *found != entry.inode) lost.emplace_back(entry.name);
    return true;
  });
  if (!done) lost.push_back(done.error().what);
  return lost;
}

/// Lists a directory in pieces of `length` entries as a mount does: an error counts where it comes alone, and
/// is the last name then.
std::vector<std::string> names_in_pieces(const Filesystem& filesystem, Inode directory, std::size_t length) {
  std::vector<std::string> names;
  std::uint64_t cookie = 0;
  for (bool more = true; more;) {
    std::size_t left = length;
    const auto done = filesystem.list(directory, cookie, [&](const DirectoryEntry& entry) {
      if (left == 0) return false;
      --left;
      EXPECT_GT(entry.next, cookie);
      EXPECT_LT(entry.next, std::uint64_t{1} << 63);
      cookie = entry.next;
      names.emplace_back(entry.name);
      return true;
    });
    more = left < length;
    if (!done && !more) names.push_back("error: " + done.error().what);
  }
  return names;
}

void check_many(const std::string& options, const std::string& command = "true") {
  Ext4Image image(options, "8M", make_many);
  image.run(command);
  image.run("e2fsck -fyD image || test $? = 1");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  EXPECT_THAT(names_in(**filesystem, many), UnorderedElementsAreArray(many_names()));
  EXPECT_THAT(lost_names(**filesystem, many), ElementsAre());
  EXPECT_EQ(code_of((*filesystem)->lookup(many, "a-name-that-is-not-there")), ENOENT);
}

TEST(Ext4DirectoryTest, IndexedDirectoriesFindEveryName) {
  check_many("-t ext4 -b 1024");
}

TEST(Ext4DirectoryTest, DirectoriesWithoutIndexFindEveryName) {
  check_many("-t ext4 -b 1024 -O ^dir_index");
}

TEST(Ext4DirectoryTest, LegacyHashesFindEveryName) {
  check_many("-t ext3 -b 1024", "tune2fs -E hash_alg=legacy image");
  check_many("-t ext3 -b 1024", "tune2fs -E hash_alg=tea image");
}

TEST(Ext4DirectoryTest, ListingGoesOnFromEveryCookie) {
  Ext4Image image("-t ext4 -b 1024", "8M", make_many);
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  const auto all = names_in(**filesystem, many);
  EXPECT_EQ(names_in_pieces(**filesystem, many, 1), all);
  EXPECT_EQ(names_in_pieces(**filesystem, many, 17), all);
}

TEST(Ext4DirectoryTest, ACookieBehindTheEndListsNothing) {
  Ext4Image image("-t ext4", "4M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  int seen = 0;
  const auto count = [&](const DirectoryEntry&) { return ++seen > 0; };
  EXPECT_TRUE((*filesystem)->list((*filesystem)->root(), UINT64_MAX, count));
  EXPECT_EQ(seen, 0);
}

TEST(Ext4DirectoryTest, DotsAndTypesAreThere) {
  Ext4Image image("-t ext4", "4M",
                  [](const auto& folder) { std::filesystem::create_directory(folder / "sub"); });
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode sub = resolve(**filesystem, "sub");
  EXPECT_THAT(names_in(**filesystem, sub), ElementsAre(".", ".."));
  EXPECT_EQ(*(*filesystem)->lookup(sub, "."), sub);
  EXPECT_EQ(*(*filesystem)->lookup(sub, ".."), (*filesystem)->root());
  const auto typed = (*filesystem)->list(sub, 0, [](const auto& entry) { return entry.type == DT_DIR; });
  EXPECT_TRUE(typed);
}

TEST(Ext4DirectoryTest, NamesTooLongOrEmptyAreRefused) {
  Ext4Image image("-t ext4", "4M");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(code_of((*filesystem)->lookup((*filesystem)->root(), std::string(256, 'x'))), ENAMETOOLONG);
  EXPECT_EQ(code_of((*filesystem)->lookup((*filesystem)->root(), "")), ENOENT);
}

TEST(Ext4DirectoryTest, InlineDirectoriesAreReadFromTheInode) {
  Ext4Image image("-t ext4 -O inline_data", "4M", [](const auto& folder) {
    std::filesystem::create_directory(folder / "sub");
    for (int i = 0; i < 3; ++i) std::ofstream(folder / "sub" / fmt::format("name-{}", i)) << "";
  });
  EXPECT_THAT(image.output_of("debugfs -R 'stat sub' image"), ::testing::HasSubstr("Flags: 0x10000000"));
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode sub = resolve(**filesystem, "sub");
  const auto all = names_in(**filesystem, sub);
  EXPECT_THAT(all, UnorderedElementsAreArray({".", "..", "name-0", "name-1", "name-2"}));
  EXPECT_EQ(names_in_pieces(**filesystem, sub, 1), all);
  EXPECT_THAT(lost_names(**filesystem, sub), ElementsAre());
  EXPECT_EQ(*(*filesystem)->lookup(sub, ".."), (*filesystem)->root());
}

TEST(Ext4DirectoryTest, CasefoldedDirectoriesIgnoreCase) {
  Ext4Image image("-t ext4 -b 1024 -O casefold,^metadata_csum", "8M", make_many);
  image.debugfs("set_inode_field many flags 0x40080000");
  image.run("e2fsck -fyD image || test $? = 1");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  EXPECT_EQ(*(*filesystem)->lookup(many, "0042-" + std::string(230, 'N')),
            *(*filesystem)->lookup(many, file_name(42)));
  EXPECT_EQ(code_of((*filesystem)->lookup(many, "9042-" + std::string(230, 'N'))), ENOENT);
  EXPECT_THAT(lost_names(**filesystem, many), ElementsAre());
}

/// Overwrites the first place where `text` stands in the image.
void overwrite(Ext4Image& image, const std::string& text, std::size_t before, std::byte value) {
  auto& bytes = image.bytes();
  const auto found = std::ranges::search(bytes, std::as_bytes(std::span(text)));
  ASSERT_FALSE(found.empty());
  *(found.begin() - static_cast<std::ptrdiff_t>(before)) ^= value;
}

TEST(Ext4DirectoryTest, ADamagedBlockHidesItsOwnEntriesOnly) {
  Ext4Image image("-t ext4 -b 1024 -O ^dir_index", "8M", make_many);
  overwrite(image, file_name(77), 8, std::byte{1});
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  const auto names = names_in(**filesystem, many);
  EXPECT_GT(names.size(), 490U);
  EXPECT_LT(names.size(), 502U);
  EXPECT_THAT(names.back(), StartsWith("error: ext4: directory inode"));
  EXPECT_EQ(code_of((*filesystem)->lookup(many, file_name(77))), EBADMSG);
}

TEST(Ext4DirectoryTest, AListingInPiecesEndsWithTheDamageToo) {
  Ext4Image image("-t ext4 -b 1024 -O ^dir_index", "8M", make_many);
  overwrite(image, file_name(77), 8, std::byte{1});
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  const auto all = names_in(**filesystem, many);
  EXPECT_EQ(names_in_pieces(**filesystem, many, 1), all);
  EXPECT_EQ(names_in_pieces(**filesystem, many, 17), all);
  EXPECT_EQ(names_in_pieces(**filesystem, many, 1000), all);
}

TEST(Ext4DirectoryTest, DamageBehindTheLastNameIsTold) {
  Ext4Image image("-t ext2 -b 1024", "4M",
                  [](const auto& folder) { std::ofstream(folder / "some-name") << ""; });
  overwrite(image, "some-name", 4, std::byte{3});
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto names = names_in_pieces(**filesystem, (*filesystem)->root(), 1000);
  EXPECT_THAT(names, ElementsAre(".", "..", "lost+found", StartsWith("error: ext4: directory inode 2")));
}

TEST(Ext4DirectoryTest, AnEntryAcrossTheBlockIsDamage) {
  Ext4Image image("-t ext2 -b 1024", "4M",
                  [](const auto& folder) { std::ofstream(folder / "some-name") << ""; });
  overwrite(image, "some-name", 4, std::byte{3});
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(names_in(**filesystem, (*filesystem)->root()).back(),
              StartsWith("error: ext4: directory inode 2"));
  EXPECT_EQ(code_of((*filesystem)->lookup((*filesystem)->root(), "some-name")), EUCLEAN);
}

TEST(Ext4DirectoryTest, ADamagedEntryHidesNoneBehindIt) {
  Ext4Image image("-t ext2 -b 1024", "4M", [](const auto& folder) {
    std::ofstream(folder / "name-a") << "";
    std::ofstream(folder / "name-b") << "";
  });
  const auto names = [&] { return names_in(**image.open(), Inode{2}); }();
  ASSERT_EQ(names.size(), 5U);
  overwrite(image, names[3], 5, std::byte{0x40});  // inode's highest byte
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(code_of((*filesystem)->lookup(Inode{2}, names[3])), EUCLEAN);
  EXPECT_EQ(code_of((*filesystem)->lookup(Inode{2}, names[4])), 0);
  EXPECT_EQ(code_of((*filesystem)->lookup(Inode{2}, "absent")), EUCLEAN);
}

/// What listing the root says of an entry "some-name" whose byte at `place` is changed by `value`.
std::vector<std::string> names_after(std::size_t place, std::byte value) {
  Ext4Image image("-t ext2 -b 1024", "4M", [](const auto& folder) {
    std::ofstream(folder / "some-name") << "";
    std::ofstream(folder / "another") << "";
  });
  auto& bytes = image.bytes();
  const auto found = std::ranges::search(bytes, std::as_bytes(std::span(std::string_view("some-name"))));
  *(found.begin() + static_cast<std::ptrdiff_t>(place)) ^= value;
  return names_in(**image.open(), Inode{2});
}

TEST(Ext4DirectoryTest, NamesThatAreNoneAreDamageAndHideNoOther) {
  const auto only_others = ::testing::UnorderedElementsAre(".", "..", "lost+found", "another",
                                                           StartsWith("error: ext4: directory inode 2"));
  EXPECT_THAT(names_after(4, std::byte{'-' ^ '/'}), only_others);
  EXPECT_THAT(names_after(4, std::byte{'-'}), only_others);
}

TEST(Ext4DirectoryTest, ThreadsWalkInParallel) {
  Ext4Image image("-t ext4 -b 1024", "8M", make_many);
  image.run("e2fsck -fyD image || test $? = 1");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode many = resolve(**filesystem, "many");
  std::vector<std::vector<std::string>> lost(4);
  std::vector<std::thread> threads;
  std::ranges::transform(lost, std::back_inserter(threads), [&](auto& result) {
    return std::thread([&] { result = lost_names(**filesystem, many); });
  });
  std::ranges::for_each(threads, &std::thread::join);
  EXPECT_THAT(lost, ElementsAre(ElementsAre(), ElementsAre(), ElementsAre(), ElementsAre()));
}

/// What will_list() makes the host read for some paths, and what a listing of each reads then.
struct Announced {
  std::vector<Piece> before;
  std::vector<Piece> listed;
};

Announced announce(Ext4Image& image, const std::vector<std::string>& paths) {
  const auto source = std::make_shared<MappedSource>(image.source());
  const auto filesystem = open_filesystem(source, {}).value();
  std::vector<Inode> inodes;
  for (const std::string& path : paths) inodes.push_back(resolve(*filesystem, path));
  // The inodes are in memory afterwards, and the root's block is not what is asked for.
  for (const Inode inode : inodes) EXPECT_TRUE(filesystem->stat(inode));
  Announced announced;
  static_cast<void>(source->take());
  filesystem->will_list(inodes);
  announced.before = source->take();
  for (const Inode inode : inodes) static_cast<void>(names_in(*filesystem, inode));
  announced.listed = source->take();
  return announced;
}

TEST(Ext4WillListTest, WhatAListingReadsFirstIsOnItsWay) {
  Ext4Image image("-t ext4 -b 1024", "8M", [](const auto& folder) {
    make_many(folder);
    for (const char* name : {"a", "b", "c"}) std::filesystem::create_directory(folder / name);
  });
  const auto small = announce(image, {"a", "b", "c"});
  EXPECT_EQ(small.before.size(), 1U) << "neighbours are one request";
  ASSERT_EQ(small.listed.size(), 3U);
  for (const Piece& piece : small.listed) {
    EXPECT_GE(piece.offset, small.before[0].offset);
    EXPECT_LE(piece.offset + piece.size, small.before[0].offset + small.before[0].size);
  }
  const auto large = announce(image, {"many"});
  ASSERT_EQ(large.before.size(), 1U);
  EXPECT_EQ(large.before[0].offset, large.listed.at(0).offset);
  EXPECT_LE(large.before[0].size, 4096U) << "not all of a large one";
}

TEST(Ext4WillListTest, WhatIsInTheInodeOrNoDirectoryNeedsNothing) {
  Ext4Image image("-t ext4 -O inline_data", "4M", [](const auto& folder) {
    std::filesystem::create_directory(folder / "inline");
    std::ofstream(folder / "file") << "text";
  });
  EXPECT_TRUE(announce(image, {"inline", "file"}).before.empty());
  const auto source = std::make_shared<MappedSource>(image.source());
  const auto filesystem = open_filesystem(source, {}).value();
  static_cast<void>(source->take());
  const Inode never[] = {Inode{0}, Inode{1}, Inode{~std::uint64_t{0}}};
  filesystem->will_list(never);
  EXPECT_TRUE(source->take().empty());
}

}  // namespace
}  // namespace vmfs::test
