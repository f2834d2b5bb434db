// SPDX-License-Identifier: MIT
#include "fs/guest/tree.h"

#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/path.h"
#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using testing::FakeFilesystem;
using ::testing::Pair;

std::uint64_t number(Inode inode) {
  return static_cast<std::uint64_t>(inode);
}

constexpr std::uint64_t branch(std::uint64_t index, std::uint64_t own) {
  return index << 56 | own;
}

/// /, with /var on a file system of its own, /var/log on a third.
class TreeTest : public ::testing::Test {
 protected:
  TreeTest()
      : tree_(shared(FakeFilesystem().file("/etc/hostname", "root").folder("/var/below").file("/x", ""))) {
    mount("/var", FakeFilesystem().folder("/log").file("/lib/file", "of var").link("/up", "../etc/hostname"));
    mount("/var/log", FakeFilesystem().file("/syslog", "of log"));
  }

  static std::shared_ptr<const Filesystem> shared(FakeFilesystem fs) {
    return std::make_shared<FakeFilesystem>(std::move(fs));
  }

  int mount(std::string_view path, FakeFilesystem fs) {
    const auto done = tree_.mount(shared(std::move(fs)), *resolve(tree_, path));
    return done ? 0 : done.error().code;
  }

  std::string contents(std::string_view path) {
    const auto inode = resolve(tree_, path);
    if (!inode) return strerrorname_np(inode.error().code);
    const auto text = read_small_file(tree_, *inode, 100);
    return text ? *text : strerrorname_np(text.error().code);
  }

  std::vector<std::pair<std::string, std::uint64_t>> list(std::string_view path) {
    std::vector<std::pair<std::string, std::uint64_t>> found;
    EXPECT_TRUE(tree_.list(*resolve(tree_, path), 0, [&](const DirectoryEntry& entry) {
      found.emplace_back(entry.name, number(entry.inode));
      return true;
    }));
    return found;
  }

  Tree tree_;
};

TEST_F(TreeTest, FilesOfEveryFileSystemAreReached) {
  EXPECT_EQ(contents("/etc/hostname"), "root");
  EXPECT_EQ(contents("/var/lib/file"), "of var");
  EXPECT_EQ(contents("/var/log/syslog"), "of log");
}

TEST_F(TreeTest, WhatIsMountedOnIsCovered) {
  EXPECT_EQ(contents("/var/below"), "ENOENT");
}

TEST_F(TreeTest, DotDotLeavesAFileSystem) {
  EXPECT_EQ(contents("/var/log/../lib/../../etc/hostname"), "root");
  EXPECT_EQ(contents("/var/up"), "root");
  EXPECT_EQ(tree_.lookup(*resolve(tree_, "/var/log"), ".."), *resolve(tree_, "/var"));
  EXPECT_EQ(tree_.lookup(*resolve(tree_, "/var"), ".."), tree_.root());
}

TEST_F(TreeTest, InodeNumbersCarryTheirFileSystem) {
  EXPECT_EQ(number(tree_.root()), 1U);
  EXPECT_EQ(number(*resolve(tree_, "/var")), branch(1, 1));
  EXPECT_EQ(number(*resolve(tree_, "/var/log/syslog")), branch(2, 2));
  EXPECT_EQ(number(tree_.stat(*resolve(tree_, "/var/log/syslog"))->inode), branch(2, 2));
}

TEST_F(TreeTest, ListingsShowWhatALookupFinds) {
  EXPECT_THAT(list("/"), ElementsAre(Pair(".", 1), Pair("..", 1), Pair("etc", 2), Pair("var", branch(1, 1)),
                                     Pair("x", 6)));
  EXPECT_THAT(list("/var"), ElementsAre(Pair(".", branch(1, 1)), Pair("..", 1), Pair("lib", branch(1, 3)),
                                        Pair("log", branch(2, 1)), Pair("up", branch(1, 5))));
  EXPECT_THAT(list("/var/log"),
              ElementsAre(Pair(".", branch(2, 1)), Pair("..", branch(1, 1)), Pair("syslog", branch(2, 2))));
}

TEST_F(TreeTest, UsageIsThatOfTheFileSystemThatAFileIsOn) {
  EXPECT_EQ(tree_.usage()->files, 6U);
  EXPECT_EQ(tree_.usage_at(*resolve(tree_, "/etc/hostname"))->files, 6U);
  EXPECT_EQ(tree_.usage_at(*resolve(tree_, "/var"))->files, 5U);
  EXPECT_EQ(tree_.usage_at(*resolve(tree_, "/var/log"))->files, 2U);
  EXPECT_EQ(tree_.usage_at(*resolve(tree_, "/var/log/syslog"))->files, 2U);
  EXPECT_EQ(tree_.usage_at(Inode{branch(3, 1)}).error().code, ESTALE);
}

TEST_F(TreeTest, ALaterMountCoversAnEarlierOne) {
  EXPECT_EQ(mount("/var", FakeFilesystem().file("/new", "new")), 0);
  EXPECT_EQ(contents("/var/new"), "new");
  EXPECT_EQ(contents("/var/lib/file"), "ENOENT");
  EXPECT_EQ(contents("/var/../etc/hostname"), "root");
}

TEST_F(TreeTest, OnlyADirectoryBelowTheRootIsMountedOn) {
  EXPECT_EQ(mount("/x", FakeFilesystem()), ENOTDIR);
  EXPECT_EQ(mount("/", FakeFilesystem()), EBUSY);
}

TEST_F(TreeTest, NoMoreThanTheTopByteCounts) {
  for (int i = 3; i < 256; ++i) ASSERT_EQ(mount("/etc", FakeFilesystem()), 0);
  EXPECT_EQ(mount("/etc", FakeFilesystem()), EMFILE);
  EXPECT_EQ(number(*resolve(tree_, "/etc")), branch(255, 1));
  EXPECT_EQ(tree_.lookup(*resolve(tree_, "/etc"), ".."), tree_.root());
}

TEST_F(TreeTest, EachFileSystemHearsOfItsOwnDirectories) {
  const auto root = std::make_shared<const FakeFilesystem>(FakeFilesystem().folder("/etc").folder("/var"));
  const auto var = std::make_shared<const FakeFilesystem>(FakeFilesystem().folder("/log"));
  Tree tree(root);
  ASSERT_TRUE(tree.mount(var, *resolve(tree, "/var")));
  const Inode directories[] = {*resolve(tree, "/var/log"), *resolve(tree, "/etc"), Inode{branch(3, 1)}};
  tree.will_list(directories);
  EXPECT_THAT(root->announced, ElementsAre(Inode{2}));
  EXPECT_THAT(var->announced, ElementsAre(Inode{2}));
}

TEST_F(TreeTest, NumbersOfNoFileSystemAreStale) {
  EXPECT_EQ(tree_.stat(Inode{branch(3, 1)}).error().code, ESTALE);
  EXPECT_EQ(tree_.lookup(Inode{~std::uint64_t{0}}, "x").error().code, ESTALE);
}

TEST_F(TreeTest, ADamagedNumberReachesNoOtherFileSystem) {
  ASSERT_EQ(mount("/etc", FakeFilesystem().name("odd", branch(1, 2))), 0);
  const Inode odd = *tree_.lookup(*resolve(tree_, "/etc"), "odd");
  EXPECT_EQ(number(odd) >> 56, 3U);
  EXPECT_EQ(tree_.stat(odd).error().code, ESTALE);
}

}  // namespace
}  // namespace vmfs
