// SPDX-License-Identifier: MIT
#include "fs/guest/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/path.h"
#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using testing::FakeFilesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A guest whose root is p1; p2 to p9 are labelled so, and hold a file of that name.
class AssembleTest : public ::testing::Test {
 protected:
  AssembleTest() : root_("root") {
    for (int i = 1; i <= 9; ++i) {
      Volume& volume = disk_.volumes.emplace_back();
      volume.name = fmt::format("p{}", i);
      auto filesystem = std::make_shared<FakeFilesystem>(volume.name);
      filesystem->file("/" + volume.name, volume.name).folder("/sub");
      volume.filesystem = filesystem;
    }
  }

  void assemble(const std::string& fstab) {
    root_.file("/etc/fstab", fstab);
    disk_.volumes.front().filesystem = std::make_shared<FakeFilesystem>(root_);
    guest_ = assemble_guest(
        disk_, disk_.volumes.front(),
        {.recover = true, .warn = [this](const std::string& line) { warnings_.push_back(line); }});
  }

  bool has(std::string_view path) { return resolve(*guest_.tree, path).has_value(); }

  FakeFilesystem root_;
  Disk disk_;
  Guest guest_;
  std::vector<std::string> warnings_;
};

TEST_F(AssembleTest, ARootAloneIsItsOwnFileSystem) {
  assemble("LABEL=root / ext4 defaults 0 1\ntmpfs /tmp tmpfs defaults\n");
  EXPECT_EQ(guest_.tree, disk_.volumes.front().filesystem);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(guest_.mounts[0].state, GuestMount::State::root);
}

TEST_F(AssembleTest, ARootWithoutFstabIsItsOwnFileSystem) {
  const Guest guest = assemble_guest(disk_, disk_.volumes.front(), {});
  EXPECT_EQ(guest.tree, disk_.volumes.front().filesystem);
  EXPECT_THAT(guest.mounts, IsEmpty());
}

TEST_F(AssembleTest, ParentsComeBeforeChildrenWhateverTheOrder) {
  root_.folder("/var");
  assemble("LABEL=p3 /var/sub ext4 x\nLABEL=p2 //var/ ext4 x\n");
  EXPECT_TRUE(has("/var/p2"));
  EXPECT_TRUE(has("/var/sub/p3"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(AssembleTest, NamesThatBeginAlikeAreNoChildren) {
  root_.folder("/a").folder("/a-b").folder("/a/b");
  assemble("LABEL=p2 /a/sub ext4 x\nLABEL=p3 /a-b ext4 x\nLABEL=p4 /a ext4 x\n");
  EXPECT_TRUE(has("/a/sub/p2"));
  EXPECT_TRUE(has("/a-b/p3"));
  EXPECT_TRUE(has("/a/p4"));
}

TEST_F(AssembleTest, LinksLeadInsideTheTree) {
  root_.folder("/data").link("/srv", "/../data/sub").link("/home", "../../../data");
  assemble("LABEL=p2 /home ext4 x\nLABEL=p3 /srv ext4 x\n");
  EXPECT_TRUE(has("/data/p2"));
  EXPECT_TRUE(has("/data/sub/p3"));
}

TEST_F(AssembleTest, WhatNoImageHoldsIsIgnoredInSilence) {
  root_.folder("/a");
  assemble(
      "UUID=1 none swap sw 0 0\n/swapfile swap swap x\ntmpfs /a tmpfs x\nserver:/x /a nfs x\n/a /b none "
      "bind\n"
      "/a /b auto rw,rbind\n/x.iso /a iso9660 ro,loop\noverlay /a overlay x\nsshfs#x /a fuse.sshfs x\n"
      "LABEL=p2 /a ext4 noauto\n/dev/sr0 /a udf,iso9660 user,noauto\n//server/x /a cifs x\n");
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(guest_.mounts.size(), 12U);
  for (const GuestMount& mount : guest_.mounts) {
    EXPECT_EQ(mount.state, GuestMount::State::ignored);
    EXPECT_FALSE(mount.reason.empty());
  }
}

TEST_F(AssembleTest, WhatSystemdMountsOnAccessIsShown) {
  root_.folder("/boot");
  assemble("LABEL=p2 /boot ext4 noauto,x-systemd.automount\n");
  EXPECT_TRUE(has("/boot/p2"));
}

TEST_F(AssembleTest, WhatCannotBeShownIsToldAndLeft) {
  root_.file("/a/below", "").file("/file", "");
  disk_.volumes[8].filesystem.reset();
  disk_.volumes[8].error = Error{EOPNOTSUPP, "btrfs cannot be read"};
  disk_.volumes[8].partition.emplace().uuid = "1234-09";
  assemble(
      "LABEL=p2 /absent ext4 x\nLABEL=no /a ext4 nofail\nPARTUUID=1234-09 /a btrfs x\nLABEL=p3 /file ext4 x\n"
      "LABEL=p4 relative ext4 x\nLABEL=p4 /a/../b ext4 x\n");
  EXPECT_THAT(warnings_,
              ::testing::UnorderedElementsAre("/absent is not shown: there is no such directory",
                                              "/a is not shown: no volume that can be read is LABEL=no",
                                              "/a is not shown: p9: btrfs cannot be read",
                                              "/file is not shown: not a directory",
                                              "relative is not shown: not an absolute path",
                                              "/a/../b is not shown: not an absolute path"));
  EXPECT_TRUE(has("/a/below"));
  EXPECT_EQ(guest_.tree, disk_.volumes.front().filesystem);
}

TEST_F(AssembleTest, TheFirstLineOfADirectoryCounts) {
  root_.folder("/a");
  assemble("LABEL=p2 /a ext4 x\nLABEL=p3 /a/ ext4 x\n");
  EXPECT_TRUE(has("/a/p2"));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("earlier line")));
}

TEST_F(AssembleTest, ADirectoryThatOnlyTheRootHasIsCoveredWithItsParent) {
  root_.folder("/var/log");
  assemble("LABEL=p2 /var ext4 x\nLABEL=p3 /var/log ext4 x\n");
  EXPECT_THAT(warnings_, ElementsAre("/var/log is not shown: there is no such directory"));
  EXPECT_EQ(guest_.mounts[0].state, GuestMount::State::shown);
  EXPECT_EQ(guest_.mounts[1].state, GuestMount::State::missing);
}

TEST_F(AssembleTest, AnUnreadableFstabLeavesTheRoot) {
  root_.folder("/etc/fstab");
  disk_.volumes.front().filesystem = std::make_shared<FakeFilesystem>(root_);
  const Guest guest = assemble_guest(
      disk_, disk_.volumes.front(),
      {.recover = true, .warn = [this](const std::string& line) { warnings_.push_back(line); }});
  EXPECT_EQ(guest.tree, disk_.volumes.front().filesystem);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("/etc/fstab cannot be read")));
}

TEST_F(AssembleTest, AWantedVolumeIsShownAlone) {
  root_.folder("/a").file("/etc/os-release", "");
  assemble("LABEL=p2 /a ext4 x\n");
  const auto whole = open_guest(disk_, "", {});
  const auto alone = open_guest(disk_, "LABEL=p2", {});
  EXPECT_TRUE(resolve(*whole->tree, "/a/p2"));
  EXPECT_EQ(alone->tree, disk_.volumes[1].filesystem);
}

}  // namespace
}  // namespace vmfs
