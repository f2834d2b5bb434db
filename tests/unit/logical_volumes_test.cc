// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/guest/guest.h"
#include "tests/unit/lvm_image.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lvm_group;
using testing::lvm_linear;
using testing::lvm_uuid;
using testing::lvm_volume;
using testing::PvImage;

TEST(LogicalVolumesTest, PathsOfAVolume) {
  const LogicalVolumeName name{.group = "vg-a", .volume = "lv--1", .uuid = ""};
  EXPECT_TRUE(is_path_of(name, "vg-a/lv--1"));
  EXPECT_TRUE(is_path_of(name, "/dev/vg-a/lv--1"));
  EXPECT_TRUE(is_path_of(name, "/dev/mapper/vg--a-lv----1"));
  EXPECT_FALSE(is_path_of(name, "/dev/mapper/vg-a-lv--1"));
  EXPECT_FALSE(is_path_of(name, "mapper/vg--a-lv----1"));
  EXPECT_FALSE(is_path_of(name, "/vg-a/lv--1"));
  EXPECT_FALSE(is_path_of(name, "lv--1"));
}

/// A disk larger than a floppy, on which no RAID is looked for, with the group of `text`.
std::shared_ptr<const Source> disk_of(char letter, const std::string& text) {
  PvImage pv;
  pv.size = std::size_t{2} << 20;
  pv.letter = letter;
  pv.text = text;
  return pv.write().source();
}

std::vector<std::string> names_of(const Disk& disk) {
  std::vector<std::string> names;
  for (const Volume& volume : disk.volumes) names.push_back(volume.name);
  return names;
}

Result<Disk> open(const std::vector<std::shared_ptr<const Source>>& disks) {
  return open_disks(disks, {.recover = true, .warn = [](const std::string&) {}});
}

TEST(LogicalVolumesTest, VolumesOfAGroupFollowThoseOfDisks) {
  const auto disk = open({disk_of('p', lvm_group("pq", lvm_volume("one", 1, lvm_linear("p", 0)) +
                                                           lvm_volume("hidden", 1, lvm_linear("p", 1), "") +
                                                           lvm_volume("two", 1, lvm_linear("q", 0)))),
                          disk_of('q', "")});
  ASSERT_TRUE(disk) << disk.error().what;
  EXPECT_THAT(names_of(*disk), ElementsAre("disk", "disk2", "vg/one", "vg/two"));
  EXPECT_TRUE(disk->volumes[1].is_member);
  EXPECT_EQ(disk->volumes[1].disk, 1U);
  EXPECT_THAT(disk->volumes[0].error->what, HasSubstr("a physical volume of group vg"));
  EXPECT_EQ(disk->groups[0].physical_volumes[1].member, 1U);
}

TEST(LogicalVolumesTest, GroupsOfOneNameAreToldApartByTheirUuid) {
  const std::string volume_p = lvm_volume("lv", 1, lvm_linear("p", 0));
  const std::string volume_q = lvm_volume("lv", 1, lvm_linear("q", 0));
  const auto disk = open({disk_of('p', lvm_group("p", volume_p, 1, "vg", 'v')),
                          disk_of('q', lvm_group("q", volume_q, 1, "vg", 'w'))});
  ASSERT_TRUE(disk) << disk.error().what;
  EXPECT_THAT(names_of(*disk), ElementsAre("disk", "disk2", "vg/lv", lvm_uuid('w') + "/lv"));
}

TEST(LogicalVolumesTest, AVolumeThatCannotBeReadMayHoldTheSystem) {
  const auto disk = open({disk_of('p', lvm_group("p", lvm_volume("root", 1, "type = \"cache\"") +
                                                          lvm_volume("other", 1, lvm_linear("p", 0))))});
  ASSERT_TRUE(disk) << disk.error().what;
  const auto chosen = choose_volume(*disk, "", [](const std::string&) {});
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().what,
              HasSubstr("vg/root (unknown, 4K): LVM: volumes of type cache cannot be read"));
}

}  // namespace
}  // namespace vmfs
