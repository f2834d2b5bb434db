// SPDX-License-Identifier: MIT
#include "fs/path.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using testing::FakeFilesystem;

/// A tree with links of every kind.
FakeFilesystem tree() {
  FakeFilesystem fs;
  fs.file("/usr/bin/sh", "shell")
      .link("/bin", "usr/bin")
      .link("/abs", "/usr/bin/sh")
      .link("/out", "/../../usr/bin");
  fs.link("/up/link", "../bin/sh").link("/loop", "loop").link("/gone", "nowhere").link("/slash", "usr/");
  return fs;
}

/// What a path leads to: contents, "folder" or the error.
std::string at(std::string_view path) {
  const FakeFilesystem fs = tree();
  const auto inode = resolve(fs, path);
  if (!inode) return strerrorname_np(inode.error().code);
  if (S_ISDIR(fs.stat(*inode)->mode)) return "folder";
  return *read_small_file(fs, *inode, 100);
}

TEST(ResolveTest, PlainPathsLeadToFiles) {
  EXPECT_EQ(at("/usr/bin/sh"), "shell");
  EXPECT_EQ(at("usr//bin/./sh"), "shell");
}

TEST(ResolveTest, TheRootIsAFolder) {
  EXPECT_EQ(at("/"), "folder");
  EXPECT_EQ(at("//"), "folder");
  EXPECT_EQ(at("."), "folder");
}

TEST(ResolveTest, LinksAreFollowedInsideTheFileSystem) {
  EXPECT_EQ(at("/bin/sh"), "shell");
  EXPECT_EQ(at("/abs"), "shell");
  EXPECT_EQ(at("/up/link"), "shell");
  EXPECT_EQ(at("/bin"), "folder");
}

TEST(ResolveTest, DotDotStopsAtTheRoot) {
  EXPECT_EQ(at("/../../usr/bin/sh"), "shell");
  EXPECT_EQ(at("/out/sh"), "shell");
  EXPECT_EQ(at("/usr/bin/../../bin/sh"), "shell");
}

TEST(ResolveTest, DotDotBehindALinkLeavesItsTarget) {
  EXPECT_EQ(at("/bin/../bin/sh"), "shell");
  EXPECT_EQ(at("/bin/../usr"), "ENOENT");
}

TEST(ResolveTest, MissingFilesAreEnoent) {
  EXPECT_EQ(at("/usr/none"), "ENOENT");
  EXPECT_EQ(at("/gone"), "ENOENT");
  EXPECT_EQ(at(""), "ENOENT");
}

TEST(ResolveTest, FilesAreNoFolders) {
  EXPECT_EQ(at("/abs/x"), "ENOTDIR");
  EXPECT_EQ(at("/abs/"), "ENOTDIR");
  EXPECT_EQ(at("/abs/.."), "ENOTDIR");
  EXPECT_EQ(at("/usr/"), "folder");
  EXPECT_EQ(at("/slash"), "folder");
}

TEST(ResolveTest, LoopsEnd) {
  EXPECT_EQ(at("/loop"), "ELOOP");
}

/// /l0 -> l1 -> ... -> file, `count` links.
FakeFilesystem chain(int count) {
  FakeFilesystem fs;
  for (int i = 0; i < count; ++i) fs.link(fmt::format("/l{}", i), fmt::format("l{}", i + 1));
  fs.file(fmt::format("/l{}", count), "end");
  return fs;
}

TEST(ResolveTest, FortyLinksAreFollowedAndNoMore) {
  EXPECT_TRUE(resolve(chain(40), "/l0"));
  EXPECT_EQ(resolve(chain(41), "/l0").error().code, ELOOP);
}

TEST(ResolveTest, LongPathsAreRefused) {
  EXPECT_EQ(at("/" + std::string(4095, '.')), "ENAMETOOLONG");
}

TEST(ReadSmallFileTest, LargerFilesAreRefused) {
  const FakeFilesystem fs = tree();
  EXPECT_EQ(read_small_file(fs, *resolve(fs, "/abs"), 4).error().code, EFBIG);
  EXPECT_EQ(read_small_file(fs, *resolve(fs, "/abs"), 5).value(), "shell");
}

TEST(ReadSmallFileTest, FoldersAreRefused) {
  const FakeFilesystem fs = tree();
  EXPECT_EQ(read_small_file(fs, fs.root(), 100).error().code, EINVAL);
}

}  // namespace
}  // namespace vmfs
