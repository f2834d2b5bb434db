// SPDX-License-Identifier: MIT
#include "fs/guest/device.h"

#include <gtest/gtest.h>

#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using testing::FakeFilesystem;

/// A disk of three partitions, a second disk, and two logical volumes.
class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest() {
    add("p1", "my disk", "ABCD-1234", 1);
    add("p2", "root", "12345678-90ab-cdef-0000-00000000000a", 2);
    add("p5", "", "", 5).filesystem.reset();
    add("disk2p1", "root", "12345678-90ab-cdef-0000-00000000000a", 1);
    add("vg/root", "lv", "", 0);
    add("my-vg/a-b", "", "", 0);
  }

  Volume& add(const std::string& name, const std::string& label, const std::string& uuid,
              std::uint32_t number) {
    Volume& volume = disk_.volumes.emplace_back();
    volume.name = name;
    volume.filesystem = std::make_shared<FakeFilesystem>(label, uuid);
    if (const auto slash = name.find('/'); slash != std::string::npos) {
      volume.logical = LogicalVolumeName{name.substr(0, slash), name.substr(slash + 1),
                                         name.substr(slash + 1) + "AA-AABB-BBCC-CCDD-DDEE-EEFF-FFGGGG"};
    }
    volume.disk = name.starts_with("disk2") ? 1 : 0;
    if (number == 0) return volume;
    volume.partition.emplace();
    volume.partition->number = number;
    volume.partition->name = "part " + name;
    volume.partition->uuid = "1234abcd-" + name;
    return volume;
  }

  /// The name of the volume, "none" where there is none.
  std::string find(std::string_view device, std::string_view root_device = "", std::size_t root = 1) {
    const Volume* const volume = DeviceNames(disk_, disk_.volumes[root], root_device).find(device);
    return volume == nullptr ? "none" : volume->name;
  }

  Disk disk_;
};

TEST_F(DeviceTest, TagsNameAVolume) {
  EXPECT_EQ(find("UUID=12345678-90AB-cdef-0000-00000000000a"), "p2");
  EXPECT_EQ(find("UUID=abcd-1234"), "p1");
  EXPECT_EQ(find("LABEL=my disk"), "p1");
  EXPECT_EQ(find("LABEL=\"my disk\""), "p1");
  EXPECT_EQ(find("PARTUUID=1234ABCD-p5"), "p5");
  EXPECT_EQ(find("PARTLABEL='part p2'"), "p2");
}

TEST_F(DeviceTest, LabelsHaveCase) {
  EXPECT_EQ(find("LABEL=ROOT"), "none");
}

TEST_F(DeviceTest, EmptyAndUnknownTagsNameNothing) {
  EXPECT_EQ(find("LABEL="), "none");
  EXPECT_EQ(find("LABEL=\"\""), "none");
  EXPECT_EQ(find("ID=p1"), "none");
  EXPECT_EQ(find("=p1"), "none");
  EXPECT_EQ(find(""), "none");
}

TEST_F(DeviceTest, LinksOfUdevNameAVolume) {
  EXPECT_EQ(find("/dev/disk/by-uuid/ABCD-1234"), "p1");
  EXPECT_EQ(find("/dev/disk/by-label/my\\x20disk"), "p1");
  EXPECT_EQ(find("/dev/disk/by-partuuid/1234abcd-p2"), "p2");
  EXPECT_EQ(find("/dev/disk/by-partlabel/part\\x20p1"), "p1");
  EXPECT_EQ(find("/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi0-part2"), "p2");
  EXPECT_EQ(find("/dev/disk/by-path/pci-0000:00:07.0-part5"), "p5");
  EXPECT_EQ(find("/dev/disk/by-path/pci-0000:00:07.0-part9"), "none");
  EXPECT_EQ(find("/dev/disk/by-label/a\\x2"), "none");
}

TEST_F(DeviceTest, LogicalVolumesHaveTwoPaths) {
  EXPECT_EQ(find("/dev/vg/root"), "vg/root");
  EXPECT_EQ(find("/dev/mapper/vg-root"), "vg/root");
  EXPECT_EQ(find("/dev/mapper/my--vg-a--b"), "my-vg/a-b");
  EXPECT_EQ(find("/dev/my-vg/a-b"), "my-vg/a-b");
  EXPECT_EQ(find("/dev/disk/by-id/dm-name-vg-root"), "vg/root");
  const std::string group(32, 'g');
  EXPECT_EQ(find("/dev/disk/by-id/dm-uuid-LVM-" + group + "rootAAAABBBBCCCCDDDDEEEEFFFFGGGG"), "vg/root");
  EXPECT_EQ(find("/dev/disk/by-id/dm-uuid-LVM-" + group + "goneAAAABBBBCCCCDDDDEEEEFFFFGGGG"), "none");
  EXPECT_EQ(find("/dev/disk/by-id/dm-uuid-LVM-rootAAAABBBBCCCCDDDDEEEEFFFFGGGG"), "none");
  EXPECT_EQ(find("/dev/mapper/vg-home"), "none");
  EXPECT_EQ(find("/dev/mapper/my-vg-a-b"), "none");
}

TEST_F(DeviceTest, PartitionsHaveNumbersOnEveryKindOfDisk) {
  EXPECT_EQ(find("/dev/sda1"), "p1");
  EXPECT_EQ(find("/dev/vda2"), "p2");
  EXPECT_EQ(find("/dev/xvda5"), "p5");
  EXPECT_EQ(find("/dev/hda1"), "p1");
  EXPECT_EQ(find("/dev/nvme0n1p2"), "p2");
  EXPECT_EQ(find("/dev/mmcblk0p1"), "p1");
  EXPECT_EQ(find("/dev/sdb1"), "disk2p1");
  EXPECT_EQ(find("/dev/nvme1n1p1"), "disk2p1");
}

TEST_F(DeviceTest, WhatIsNoPartitionNamesNothing) {
  for (const char* const device :
       {"/dev/sda", "/dev/sda3", "/dev/sda01x", "/dev/sda0", "/dev/sd1", "/dev/nvme0", "/dev/sdzzzz1",
        "/dev/nvme0n1p", "/dev/sda99999999999", "/dev/md0", "/dev/sdaz1", "p1", "disk"}) {
    EXPECT_EQ(find(device), "none") << device;
  }
}

TEST_F(DeviceTest, TheNameOfTheRootSaysWhichDiskIsWhich) {
  EXPECT_EQ(find("/dev/sdc1", "/dev/sdc2"), "p1");
  EXPECT_EQ(find("/dev/sda1", "/dev/sdc2"), "none");
  EXPECT_EQ(find("/dev/sdb1", "/dev/sdc2"), "disk2p1");
  EXPECT_EQ(find("/dev/sda1", "/dev/sda1", 3), "disk2p1");
}

TEST_F(DeviceTest, AWholeDiskCanHoldAFileSystem) {
  add("disk", "", "", 0);
  EXPECT_EQ(find("/dev/vda"), "disk");
}

}  // namespace
}  // namespace vmfs
