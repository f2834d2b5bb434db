// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/files/directory.h"
#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using testing::FakeFilesystem;

class Paths final : public WalkVisitor {
 public:
  WalkStep visit(const WalkEntry& entry) override {
    seen.push_back(entry.path);
    if (entry.path == stop_at) return WalkStep::stop;
    return entry.path == over ? WalkStep::over : WalkStep::into;
  }
  void error(const std::string& path, const Error&) override { seen.push_back("error: " + path); }

  std::string over;
  std::string stop_at;
  std::vector<std::string> seen;
};

TEST(WalkTest, DirectoriesAreAnnouncedBeforeTheWalkIsInThem) {
  const FakeFilesystem filesystem = FakeFilesystem().folder("/a").file("/file", "").folder("/b/c");
  Paths paths;
  walk_tree(filesystem, "/", filesystem.root(), paths);
  EXPECT_THAT(paths.seen, ElementsAre("/", "/a", "/b", "/b/c", "/file"));
  EXPECT_THAT(filesystem.announced, ElementsAre(Inode{2}, Inode{4}, Inode{5}));
}

TEST(WalkTest, OfManyDirectoriesTheNextOnesAreAnnounced) {
  FakeFilesystem filesystem;
  for (int i = 0; i < 600; ++i) filesystem.folder(fmt::format("/{:03}", i));
  Paths paths;
  paths.stop_at = "/255";
  walk_tree(filesystem, "/", filesystem.root(), paths);
  EXPECT_EQ(filesystem.announced.size(), 256U);
  paths.stop_at = "/256";
  walk_tree(filesystem, "/", filesystem.root(), paths);
  EXPECT_EQ(filesystem.announced.size(), 256U + 512U);
}

TEST(WalkTest, WhatIsPassedOverAnnouncesNothing) {
  const FakeFilesystem filesystem = FakeFilesystem().folder("/a/below");
  Paths paths;
  paths.over = "/a";
  walk_tree(filesystem, "/", filesystem.root(), paths);
  EXPECT_THAT(paths.seen, ElementsAre("/", "/a"));
  EXPECT_THAT(filesystem.announced, ElementsAre(Inode{2}));
}

}  // namespace
}  // namespace vmfs
