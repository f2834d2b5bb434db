// SPDX-License-Identifier: MIT
#include "fs/guest/guest.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/guest/os_release.h"
#include "tests/unit/disk_image.h"
#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using ::testing::AllOf;
using testing::DiskImage;
using ::testing::ElementsAre;
using testing::FakeFilesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(OsReleaseTest, QuotesAreRemovedAsAShellDoes) {
  EXPECT_THAT(parse_os_release(
                  "A=plain\nB=\"two words\"\nC='single $x'\nD=\"a\\\"b\\$c\\d\"\nE=a\\ b\nF=a\"b\"'c'\n"),
              UnorderedElementsAre(Pair("A", "plain"), Pair("B", "two words"), Pair("C", "single $x"),
                                   Pair("D", "a\"b$c\\d"), Pair("E", "a b"), Pair("F", "abc")));
}

TEST(OsReleaseTest, CommentsAndOtherLinesAreSkipped) {
  EXPECT_THAT(parse_os_release("# A=1\n\n  B=2\nnot an assignment\n=3\nC D=4\nE=5 # why"),
              UnorderedElementsAre(Pair("B", "2"), Pair("E", "5")));
}

TEST(OsReleaseTest, TheLastAssignmentCounts) {
  EXPECT_THAT(parse_os_release("A=1\r\nA=2\r\n"), UnorderedElementsAre(Pair("A", "2")));
}

TEST(OsReleaseTest, OpenQuotesEndWithTheLine) {
  EXPECT_THAT(parse_os_release("A=\"x\nB=\\"), UnorderedElementsAre(Pair("A", "x"), Pair("B", "\\")));
}

constexpr auto debian = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

/// "id|version|pretty name" of a root, or "none", or the error.
std::string os_of(const FakeFilesystem& fs) {
  const auto os = find_operating_system(fs);
  if (!os) return strerrorname_np(os.error().code);
  return *os ? fmt::format("{}|{}|{}", (*os)->id, (*os)->version, (*os)->pretty_name) : "none";
}

TEST(FindOperatingSystemTest, OsReleaseIsRead) {
  EXPECT_EQ(os_of(FakeFilesystem().file("/etc/os-release", debian)),
            "debian|12|Debian GNU/Linux 12 (bookworm)");
}

TEST(FindOperatingSystemTest, LinksStayInside) {
  FakeFilesystem fs;
  fs.file("/usr/lib/os-release", debian).link("/etc/os-release", "/../../usr/lib/os-release");
  EXPECT_EQ(os_of(fs), "debian|12|Debian GNU/Linux 12 (bookworm)");
}

TEST(FindOperatingSystemTest, LinkThatLeadsNowhereLeavesTheOtherPlace) {
  EXPECT_EQ(os_of(FakeFilesystem().link("/etc/os-release", "x").file("/usr/lib/os-release", "ID=void")),
            "void||Linux");
}

TEST(FindOperatingSystemTest, EmptyOsReleaseIsLinux) {
  EXPECT_EQ(os_of(FakeFilesystem().file("/etc/os-release", "")), "linux||Linux");
}

TEST(FindOperatingSystemTest, OldRootsAreKnownByShellOrInit) {
  EXPECT_EQ(os_of(FakeFilesystem().folder("/etc").file("/bin/busybox", "").link("/bin/sh", "/bin/busybox")),
            "linux||Linux");
  EXPECT_EQ(os_of(FakeFilesystem().folder("/etc").file("/sbin/init", "")), "linux||Linux");
}

TEST(FindOperatingSystemTest, RootWithoutItsUsrIsKnownByItsConfiguration) {
  EXPECT_EQ(os_of(FakeFilesystem().folder("/usr").file("/etc/fstab", "").file("/etc/passwd", "")),
            "linux||Linux");
}

TEST(FindOperatingSystemTest, BootAndDataAreNone) {
  EXPECT_EQ(os_of(FakeFilesystem().file("/vmlinuz", "").file("/grub/grub.cfg", "")), "none");
  EXPECT_EQ(os_of(FakeFilesystem().folder("/etc")), "none");
  EXPECT_EQ(os_of(FakeFilesystem().file("/bin/sh", "")), "none");
  EXPECT_EQ(os_of(FakeFilesystem().folder("/etc").folder("/bin/sh")), "none");
}

TEST(FindOperatingSystemTest, DamageIsAnError) {
  EXPECT_EQ(os_of(FakeFilesystem().broken("/etc/os-release", EUCLEAN)), "EUCLEAN");
}

/// A disk of partitions, built volume by volume.
class TestDisk {
 public:
  TestDisk& holds(const std::string& type, FakeFilesystem fs, const std::string& name = "") {
    add(type, "filesystem", name).filesystem = std::make_shared<FakeFilesystem>(std::move(fs));
    return *this;
  }
  TestDisk& cannot_read(const std::string& type, const std::string& usage, int code = EOPNOTSUPP) {
    add(type, usage, "").error = Error{code, type + " cannot be read"};
    return *this;
  }
  TestDisk& unknown() {
    Volume& volume = add("", "", "");
    volume.identity.reset();
    volume.error = Error{EINVAL, "no known file system"};
    return *this;
  }
  TestDisk& bare() {
    disk_.volumes.front().name = "disk";
    disk_.volumes.front().partition.reset();
    return *this;
  }

  /// The name of the volume that is chosen, or the error.
  std::string choose(const std::string& wanted = "") {
    warnings.clear();
    const auto volume =
        choose_volume(disk_, wanted, [this](const std::string& text) { warnings.push_back(text); });
    if (volume) return (*volume)->name;
    return fmt::format("{}: {}", strerrorname_np(volume.error().code), volume.error().what);
  }

  std::vector<std::string> warnings;

 private:
  Volume& add(const std::string& type, const std::string& usage, const std::string& name) {
    Volume& volume = disk_.volumes.emplace_back();
    const auto number = static_cast<std::uint32_t>(disk_.volumes.size());
    volume.name = fmt::format("p{}", number);
    volume.partition.emplace();
    volume.partition->number = number;
    volume.partition->name = name;
    volume.partition->uuid = fmt::format("0000000{}-aaaa-0000-0000-000000000000", number);
    volume.source = std::make_shared<MemorySource>(std::vector<std::byte>(1536));
    volume.identity = VolumeIdentity{.type = type, .usage = usage, .readable = usage == "filesystem"};
    return volume;
  }

  Disk disk_;
};

FakeFilesystem root(const std::string& label = "", const std::string& pretty_name = "Debian") {
  return FakeFilesystem(label, "12345678-90ab-cdef-0000-00000000000a")
      .file("/etc/os-release", "PRETTY_NAME=\"" + pretty_name + "\"");
}

FakeFilesystem data(const std::string& label = "", const std::string& uuid = "") {
  return FakeFilesystem(label, uuid);
}

TEST(ChooseVolumeTest, BareFileSystemIsTaken) {
  EXPECT_EQ(TestDisk().holds("ext4", data()).bare().choose(), "disk");
}

TEST(ChooseVolumeTest, OnlyPartitionIsTaken) {
  EXPECT_EQ(TestDisk().holds("ext4", data()).choose(), "p1");
}

TEST(ChooseVolumeTest, RootIsTakenBesideTheEfiSystemPartition) {
  TestDisk disk;
  EXPECT_EQ(disk.cannot_read("vfat", "filesystem").holds("xfs", data("boot")).holds("ext4", root()).choose(),
            "p3");
  EXPECT_THAT(disk.warnings, IsEmpty());
}

TEST(ChooseVolumeTest, RootIsTakenBesideWhatCannotBeRead) {
  EXPECT_EQ(TestDisk().holds("ext4", root()).cannot_read("LVM2_member", "raid").choose(), "p1");
}

TEST(ChooseVolumeTest, BootIsNotTakenWhereTheRootCannotBeRead) {
  EXPECT_THAT(TestDisk()
                  .cannot_read("vfat", "filesystem")
                  .holds("xfs", data("boot"))
                  .cannot_read("LVM2_member", "raid")
                  .choose(),
              AllOf(HasSubstr("EOPNOTSUPP: "), HasSubstr("p3: LVM2_member cannot be read"),
                    HasSubstr("p2 (xfs \"boot\", 1.5K)"), HasSubstr("--partition")));
}

TEST(ChooseVolumeTest, DamagedFileSystemMayBeTheRoot) {
  EXPECT_THAT(TestDisk().holds("ext4", data()).cannot_read("ext4", "filesystem", EUCLEAN).choose(),
              HasSubstr("p2: ext4 cannot be read"));
}

TEST(ChooseVolumeTest, DataIsTakenBesideSwapAndTheEfiSystemPartition) {
  EXPECT_EQ(TestDisk()
                .cannot_read("vfat", "filesystem")
                .cannot_read("swap", "other")
                .unknown()
                .holds("ext4", data())
                .choose(),
            "p4");
}

TEST(ChooseVolumeTest, SeveralSystemsAreNamedAndTheFirstTaken) {
  TestDisk disk;
  EXPECT_EQ(disk.holds("ext4", data()).holds("ext4", root("", "A")).holds("ext4", root("", "B")).choose(),
            "p2");
  EXPECT_THAT(disk.warnings, ElementsAre(AllOf(HasSubstr("p2 (A), p3 (B)"), HasSubstr("--partition"))));
}

TEST(ChooseVolumeTest, SeveralVolumesWithoutSystemAreListed) {
  EXPECT_THAT(TestDisk().holds("ext4", data("one")).unknown().holds("xfs", data("", ""), "two").choose(),
              AllOf(HasSubstr("ENOTUNIQ"), HasSubstr("p1 (ext4 \"one\", 1.5K), p3 (xfs \"two\", 1.5K)"),
                    HasSubstr("--partition"), Not(HasSubstr("p2"))));
}

TEST(ChooseVolumeTest, NothingToReadSaysWhatThereIs) {
  EXPECT_THAT(TestDisk().unknown().choose(), HasSubstr("EINVAL: p1 (unknown, 1.5K): no known file system"));
  EXPECT_THAT(TestDisk().cannot_read("vfat", "filesystem").cannot_read("btrfs", "filesystem").choose(),
              HasSubstr("EOPNOTSUPP: p2 (btrfs, 1.5K): btrfs cannot be read"));
  EXPECT_THAT(TestDisk().cannot_read("btrfs", "filesystem").cannot_read("crypto_LUKS", "crypto").choose(),
              HasSubstr("there is p1 (btrfs, 1.5K), p2 (crypto_LUKS, 1.5K)"));
}

TEST(ChooseVolumeTest, DamageWhileLookingForASystemIsSaid) {
  TestDisk disk;
  EXPECT_EQ(disk.holds("ext4", data().broken("/etc/os-release", EUCLEAN)).holds("ext4", root()).choose(),
            "p2");
  EXPECT_THAT(disk.warnings, ElementsAre(HasSubstr("p1")));
}

TestDisk named() {
  TestDisk disk;
  disk.holds("ext4", data("Data", "aaaaaaaa-0000-0000-0000-000000000001"), "first");
  disk.holds("ext4", root("root"), "second").cannot_read("LVM2_member", "raid");
  return disk;
}

TEST(ChooseVolumeTest, NumbersChoose) {
  EXPECT_EQ(named().choose("1"), "p1");
  EXPECT_EQ(named().choose("p2"), "p2");
  EXPECT_EQ(named().choose("P2"), "p2");
}

TEST(ChooseVolumeTest, LabelsAndUuidsChooseInAnyCase) {
  EXPECT_EQ(named().choose("data"), "p1");
  EXPECT_EQ(named().choose("SECOND"), "p2");
  EXPECT_EQ(named().choose("AAAAAAAA-0000-0000-0000-000000000001"), "p1");
  EXPECT_EQ(named().choose("00000002-AAAA-0000-0000-000000000000"), "p2");
}

TEST(ChooseVolumeTest, PrefixesSayWhichNameIsMeant) {
  EXPECT_EQ(named().choose("LABEL=root"), "p2");
  EXPECT_EQ(named().choose("UUID=aaaaaaaa-0000-0000-0000-000000000001"), "p1");
  EXPECT_EQ(named().choose("PARTLABEL=second"), "p2");
  EXPECT_EQ(named().choose("partuuid=00000001-aaaa-0000-0000-000000000000"), "p1");
  EXPECT_THAT(named().choose("LABEL=second"), HasSubstr("ENOENT"));
  EXPECT_THAT(named().choose("LABEL="), HasSubstr("ENOENT"));
}

TEST(ChooseVolumeTest, UnknownNamesAreAnsweredWithWhatThereIs) {
  EXPECT_THAT(named().choose("9"),
              AllOf(HasSubstr("ENOENT: no partition '9'"), HasSubstr("p2 (ext4 \"root\"")));
}

TEST(ChooseVolumeTest, WantedVolumeThatCannotBeReadSaysWhy) {
  EXPECT_THAT(named().choose("3"),
              HasSubstr("EOPNOTSUPP: p3 (LVM2_member, 1.5K): LVM2_member cannot be read"));
}

TEST(ChooseVolumeTest, AmbiguousNamesAreRefused) {
  EXPECT_THAT(TestDisk().holds("ext4", data("x")).holds("ext4", data("X")).choose("x"),
              AllOf(HasSubstr("ENOTUNIQ"), HasSubstr("p1"), HasSubstr("p2")));
}

TEST(ChooseVolumeTest, LabelsCannotDriveATerminal) {
  EXPECT_THAT(TestDisk().holds("ext4", data("a\x1b[2J")).unknown().choose("no"), HasSubstr("\"a\\x1b[2J\""));
}

Disk open(const DiskImage& image) {
  return *open_disk(image.source(), FilesystemOptions{});
}

TEST(OpenDiskTest, DiskWithoutTableIsOneVolume) {
  const Disk disk = open(DiskImage(1 << 20));
  EXPECT_FALSE(disk.table);
  ASSERT_EQ(disk.volumes.size(), 1U);
  EXPECT_EQ(disk.volumes[0].name, "disk");
  EXPECT_EQ(disk.volumes[0].error->code, EINVAL);
}

TEST(OpenDiskTest, PartitionsAreVolumesButExtendedOnesAreNot) {
  const Disk disk = open(
      DiskImage(1 << 20).record(0, 0, 0x83, 10, 20).record(0, 1, 0x05, 100, 900).record(100, 0, 0x83, 1, 50));
  ASSERT_EQ(disk.volumes.size(), 2U);
  EXPECT_EQ(disk.volumes[0].name, "p1");
  EXPECT_EQ(disk.volumes[1].name, "p5");
  EXPECT_EQ(disk.volumes[1].source->size(), 50U * 512);
}

TEST(OpenDiskTest, KnownVolumesThatCannotBeReadAreNamed) {
  const Disk disk =
      open(DiskImage(2 << 20).put_text(512, "LABELONE").put(520, le64{1}).put_text(536, "LVM2 001"));
  EXPECT_EQ(disk.volumes[0].identity->type, "LVM2_member");
  EXPECT_EQ(disk.volumes[0].error->code, EUCLEAN);
  EXPECT_THAT(disk.volumes[0].error->what, HasSubstr("LVM2_member"));
}

TEST(OpenDiskTest, TableWhosePartitionsAreAllBehindTheEndLeavesTheWholeDisk) {
  const Disk disk =
      open(DiskImage(2 << 20).record(0, 0, 0x83, 1 << 30, 1).put_text(64 * 1024 + 64, "_BHRfS_M"));
  ASSERT_EQ(disk.volumes.size(), 1U);
  EXPECT_EQ(disk.volumes[0].identity->type, "btrfs");
}

TEST(OpenDiskTest, BrokenTableIsAnError) {
  EXPECT_EQ(open_disk(DiskImage(1 << 20).record(0, 0, 0xee, 1, 9).source(), {}).error().code, EUCLEAN);
}

}  // namespace
}  // namespace vmfs
