// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gtest/gtest.h>

#include "fs/registry.h"
#include "tests/unit/disk_image.h"

namespace vmfs {
namespace {

using testing::DiskImage;

constexpr std::size_t mib = 1 << 20;
constexpr std::size_t disk_size = 2 * mib;

/// Type and usage, "-" where nothing is known.
std::string identify(const DiskImage& image) {
  const auto identity = identify_volume(*image.source());
  if (!identity) return identity.error().what;
  return *identity ? (*identity)->type + " " + (*identity)->usage : "-";
}

DiskImage disk() {
  return DiskImage(disk_size);
}

TEST(IdentifyTest, ZerosAreNothing) {
  EXPECT_EQ(identify(disk()), "-");
  EXPECT_EQ(identify(DiskImage(0)), "-");
  EXPECT_EQ(identify(DiskImage(1)), "-");
  EXPECT_EQ(identify(DiskImage(1025)), "-");
}

TEST(IdentifyTest, ReadErrorsAreErrors) {
  class Unreadable final : public Source {
   public:
    Unreadable() : Source(disk_size) {}

   private:
    Result<Extent> do_map(std::uint64_t, std::uint64_t) const override { return fail(EIO, "no"); }
  };
  EXPECT_EQ(identify_volume(Unreadable()).error().code, EIO);
}

/// An ext superblock with these features.
DiskImage ext(std::uint32_t compat, std::uint32_t incompat, std::uint32_t ro_compat) {
  return disk()
      .put(1080, le16{0xef53})
      .put(1116, le32{compat})
      .put(1120, le32{incompat})
      .put(1124, le32{ro_compat});
}

TEST(IdentifyTest, ExtVersionsAreToldByTheirFeatures) {
  EXPECT_EQ(identify(ext(0, 0, 0)), "ext2 filesystem");
  EXPECT_EQ(identify(ext(0x38, 0x12, 0x7)), "ext2 filesystem");
  EXPECT_EQ(identify(ext(0x4, 0x6, 0x3)), "ext3 filesystem");
  EXPECT_EQ(identify(ext(0x4, 0x40, 0)), "ext4 filesystem");
  EXPECT_EQ(identify(ext(0, 0, 0x400)), "ext4 filesystem");
  EXPECT_EQ(identify(ext(0, 0x8, 0)), "jbd other");
}

TEST(IdentifyTest, ExtFilesystemsAreReadableAndTheirJournalsAreNot) {
  EXPECT_TRUE((*identify_volume(*ext(0, 0, 0).source()))->readable);
  EXPECT_TRUE((*identify_volume(*disk().put_text(0, "XFSB").source()))->readable);
  EXPECT_FALSE((*identify_volume(*ext(0, 8, 0).source()))->readable);
}

TEST(IdentifyTest, ExtMagicAmongNonsenseIsNothing) {
  EXPECT_EQ(identify(disk().put(1080, le16{0xef53}).put(1048, le32{256})), "-");
}

template <class U32>
DiskImage md0(std::uint32_t kib) {
  return disk().put(disk_size - 65536, U32{0xa92b4efc}).put(disk_size - 65536 + 32, U32{kib});
}

TEST(IdentifyTest, Md090IsFoundInBothByteOrders) {
  EXPECT_EQ(identify(md0<le32>(1024)), "linux_raid_member raid");
  EXPECT_EQ(identify(md0<be32>(1024)), "linux_raid_member raid");
}

TEST(IdentifyTest, Md090LargerThanTheVolumeBelongsToAnother) {
  EXPECT_EQ(identify(md0<le32>(2048)), "-");
}

DiskImage md1(std::uint64_t offset, std::uint64_t says) {
  return disk().put(offset, le32{0xa92b4efc}).put(offset + 4, le32{1}).put(offset + 144, le64{says / 512});
}

TEST(IdentifyTest, Md1IsFoundInAllPlaces) {
  EXPECT_EQ(identify(md1(0, 0)), "linux_raid_member raid");
  EXPECT_EQ(identify(md1(4096, 4096)), "linux_raid_member raid");
  EXPECT_EQ(identify(md1(disk_size - 8192, disk_size - 8192)), "linux_raid_member raid");
}

TEST(IdentifyTest, Md1MustBeWhereItSays) {
  EXPECT_EQ(identify(md1(4096, 0)), "-");
}

TEST(IdentifyTest, RaidComesBeforeWhatItHolds) {
  EXPECT_EQ(identify(ext(0, 0, 0).put(disk_size - 65536, le32{0xa92b4efc})), "linux_raid_member raid");
}

TEST(IdentifyTest, LvmLabelMayBeInAnyOfFourSectors) {
  EXPECT_EQ(identify(disk().put_text(0, "LABELONE").put_text(24, "LVM2 001")), "LVM2_member raid");
  EXPECT_EQ(identify(disk().put_text(1536, "LABELONE").put(1544, le64{3}).put_text(1560, "LVM2 001")),
            "LVM2_member raid");
  EXPECT_EQ(identify(disk().put_text(512, "LABELONE").put(520, le64{2}).put_text(536, "LVM2 001")), "-");
}

TEST(IdentifyTest, RaidMetadataAtTheEndIsFound) {
  EXPECT_EQ(identify(disk().put_text(disk_size - 1024, "Intel Raid ISM Cfg Sig. 1.1")),
            "isw_raid_member raid");
  EXPECT_EQ(identify(disk().put_text(disk_size - 512, "$XIDE$")), "lsi_mega_raid_member raid");
}

TEST(IdentifyTest, RaidMetadataOnAFloppyIsACoincidence) {
  EXPECT_EQ(identify(DiskImage(mib).put_text(mib - 512, "$XIDE$")), "-");
}

TEST(IdentifyTest, WrappedHfsPlusIsHfsPlus) {
  const auto hfs = disk().put_text(1024, "BD").put(1044, be32{4096});
  EXPECT_EQ(identify(hfs), "hfs filesystem");
  EXPECT_EQ(identify(DiskImage(hfs).put_text(1148, "H+")), "hfsplus filesystem");
  EXPECT_EQ(identify(disk().put_text(1024, "H+").put(1064, be32{4096})), "hfsplus filesystem");
  EXPECT_EQ(identify(disk().put_text(1024, "H+").put(1064, be32{1000})), "-");
}

TEST(IdentifyTest, SwapMayBeSuspended) {
  EXPECT_EQ(identify(disk().put_text(4086, "SWAPSPACE2").put(1024, le32{1}).put(1028, le32{100})),
            "swap other");
  EXPECT_EQ(identify(disk().put_text(4086, "SWAPSPACE2")), "-");
  EXPECT_EQ(identify(disk().put_text(4086, "S1SUSPEND")), "swsuspend other");
}

TEST(IdentifyTest, UfsIsFoundInAllItsPlaces) {
  EXPECT_EQ(identify(disk().put(8192 + 1372, le32{0x00011954})), "ufs filesystem");
  EXPECT_EQ(identify(disk().put(65536 + 1372, be32{0x19540119})), "ufs filesystem");
  EXPECT_EQ(identify(disk().put(262144 + 1372, le32{0x19540119})), "ufs filesystem");
}

TEST(IdentifyTest, BootSectorOfWindowsMayBeBitLockerToGo) {
  const auto togo = disk().put_text(0, "\xeb\x58\x90MSWIN4.1").put(440, le64{mib}).put_text(mib, "-FVE-FS-");
  EXPECT_EQ(identify(togo), "BitLocker crypto");
  EXPECT_EQ(identify(DiskImage(togo).put(440, le64{UINT64_MAX})), "-");
}

TEST(IdentifyTest, ZfsIsKnownByItsFirstLabelOrItsLast) {
  const auto zfs_at = [](std::uint64_t label) {
    const std::uint64_t list = label + 16384;
    return DiskImage(64 * mib).put(list, le16{0x101}).put(list + 20, be32{7}).put_text(list + 24, "version");
  };
  EXPECT_EQ(identify(zfs_at(0)), "zfs_member filesystem");
  EXPECT_EQ(identify(zfs_at(64 * mib - 262144)), "zfs_member filesystem");
}

TEST(IdentifyTest, LuksVersionsAreKnown) {
  EXPECT_EQ(identify(disk().put_text(0, {"LUKS\xba\xbe\0\2", 8})), "crypto_LUKS crypto");
  EXPECT_EQ(identify(disk().put_text(0, {"LUKS\xba\xbe\0\3", 8})), "-");
}

TEST(OpenFilesystemTest, WhatCannotBeReadIsNamed) {
  const auto filesystem = open_filesystem(disk().put_text(65536 + 64, "_BHRfS_M").source(), {});
  EXPECT_EQ(filesystem.error().code, EOPNOTSUPP);
  EXPECT_NE(filesystem.error().what.find("btrfs"), std::string::npos);
}

TEST(OpenFilesystemTest, NothingIsEinval) {
  EXPECT_EQ(open_filesystem(disk().source(), {}).error().code, EINVAL);
}

}  // namespace
}  // namespace vmfs
