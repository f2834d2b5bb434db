// SPDX-License-Identifier: MIT
#include "formats/lvm/lvm.h"

#include <cerrno>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/lvm/format.h"
#include "tests/unit/lvm_image.h"

namespace vmfs {
namespace {

using testing::DiskImage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lvm_group;
using testing::lvm_linear;
using testing::lvm_uuid;
using testing::lvm_volume;
using testing::PvImage;

constexpr std::size_t extents_at = 65536;
constexpr std::size_t extent_size = 4096;

/// What is found on some physical volumes, and what was said.
struct Opened {
  Lvm lvm;
  std::vector<std::string> warnings;

  [[nodiscard]] const LogicalVolume& volume(std::string_view name) const {
    for (const VolumeGroup& group : lvm.groups) {
      for (const LogicalVolume& volume : group.logical_volumes) {
        if (volume.name == name) return volume;
      }
    }
    static const LogicalVolume none{};
    return none;
  }
  /// The first letter of every extent of a volume, or why it cannot be read.
  [[nodiscard]] std::string letters(std::string_view name) const {
    const LogicalVolume& found = volume(name);
    if (!found.source) return found.error ? found.error->what : "no source";
    std::string out;
    for (std::uint64_t offset = 0; offset < found.source->size(); offset += extent_size) {
      std::array<std::byte, 1> byte{};
      const auto done = read(*found.source, offset, byte);
      if (!done) return done.error().what;
      out += static_cast<char>(byte[0]);
    }
    return out;
  }
  [[nodiscard]] std::string member_error(std::size_t index) const {
    return lvm.members.at(index) ? "none" : lvm.members.at(index).error().what;
  }
};

Opened open(const std::vector<DiskImage>& images) {
  std::vector<LvmMember> members;
  for (const DiskImage& image : images) {
    members.push_back({.name = fmt::format("m{}", members.size()), .source = image.source()});
  }
  Opened opened;
  opened.lvm = open_lvm(members, [&](const std::string& text) { opened.warnings.push_back(text); });
  return opened;
}

/// Writes a letter at the start of each extent, from `first` on.
DiskImage lettered(DiskImage image, char first) {
  for (std::size_t i = 0; i < 16; ++i) {
    image.put_text(extents_at + i * extent_size,
                   std::string(1, static_cast<char>(first + static_cast<char>(i))));
  }
  return image;
}

PvImage sound(char letter = 'p') {
  PvImage pv;
  pv.letter = letter;
  pv.text = lvm_group("pq", lvm_volume("lv", 3, lvm_linear("p", 2)));
  return pv;
}

Opened open_one(const PvImage& pv) {
  return open({lettered(pv.write(), 'a')});
}

TEST(LvmTest, AVolumeInARow) {
  const Opened opened = open_one(sound());
  EXPECT_EQ(opened.letters("lv"), "cde");
  EXPECT_EQ(opened.volume("lv").type, "linear");
  EXPECT_THAT(opened.warnings, IsEmpty());
  ASSERT_EQ(opened.lvm.groups.size(), 1U);
  const auto& physical = opened.lvm.groups[0].physical_volumes;
  EXPECT_EQ(physical.at(0).member, 0U);
  EXPECT_FALSE(physical.at(1).member);
}

TEST(LvmTest, TheLabelMayLieInAnyOfFourSectors) {
  PvImage pv = sound();
  pv.label_sector = 3;
  EXPECT_EQ(open_one(pv).letters("lv"), "cde");
  pv.label_sector = 4;
  EXPECT_EQ(open_one(pv).member_error(0), "LVM: no label");
}

TEST(LvmTest, ALabelWhoseChecksumIsWrong) {
  DiskImage image = sound().write();
  image.damage(512 + 40);
  EXPECT_THAT(open({image}).member_error(0), HasSubstr("LVM label: checksum is"));
}

TEST(LvmTest, ALabelThatSaysItIsElsewhere) {
  PvImage pv = sound();
  pv.change_label = [](DiskImage& image) { image.put(512 + 8, le64{2}); };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("says it is in 2"));
}

TEST(LvmTest, ALabelWhoseListsHaveNoEnd) {
  PvImage pv = sound();
  pv.change_label = [](DiskImage& image) { image.put_text(512 + 72, std::string(440, 'x')); };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("a list of areas has no end"));
}

TEST(LvmTest, ALabelWhoseHeaderIsOutside) {
  PvImage pv = sound();
  pv.change_label = [](DiskImage& image) { image.put(512 + 20, le32{500}); };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("header at 500"));
}

TEST(LvmTest, AMetadataAreaOutsideTheDevice) {
  PvImage pv = sound();
  pv.change_label = [](DiskImage& image) { image.put(512 + 104, le64{~std::uint64_t{0}}); };
  const Opened opened = open_one(pv);
  EXPECT_THAT(opened.warnings, ElementsAre(HasSubstr("is not inside the device")));
  EXPECT_THAT(opened.member_error(0), HasSubstr("belongs to no group"));
}

TEST(LvmTest, TheTextGoesRoundTheRing) {
  PvImage pv = sound();
  pv.text_offset = pv.area_size - 100;
  EXPECT_EQ(open_one(pv).letters("lv"), "cde");
}

TEST(LvmTest, TheTextMayFillTheRing) {
  PvImage pv = sound();
  pv.text.resize(pv.area_size - 512 - 1, '\n');
  pv.text_offset = 1000;
  EXPECT_EQ(open_one(pv).letters("lv"), "cde");
}

TEST(LvmTest, ATextLargerThanTheRing) {
  PvImage pv = sound();
  pv.change_area = [](lvm::MdaHeader& header) { header.raw_locns[0].size = header.size - 511; };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("LVM metadata area: text of"));
}

TEST(LvmTest, ATextOutsideTheRing) {
  PvImage pv = sound();
  pv.change_area = [](lvm::MdaHeader& header) { header.raw_locns[0].offset = 511; };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("LVM metadata area: text of"));
  pv.change_area = [](lvm::MdaHeader& header) { header.raw_locns[0].offset = header.size; };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("LVM metadata area: text of"));
}

TEST(LvmTest, ATextWhoseChecksumIsWrong) {
  DiskImage image = sound().write();
  image.damage(4096 + 512 + 3);
  EXPECT_THAT(open({image}).member_error(0), HasSubstr("LVM metadata text: checksum is"));
}

TEST(LvmTest, AHeaderThatIsElsewhere) {
  PvImage pv = sound();
  pv.change_area = [](lvm::MdaHeader& header) { header.start = 8192; };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("where the label says"));
}

TEST(LvmTest, AnotherVersionOfTheHeader) {
  PvImage pv = sound();
  pv.change_area = [](lvm::MdaHeader& header) { header.version = 2; };
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("version 2"));
}

TEST(LvmTest, AnIgnoredAreaIsNotRead) {
  PvImage pv = sound();
  pv.text_flags = 1;
  EXPECT_THAT(open_one(pv).member_error(0), HasSubstr("belongs to no group"));
}

TEST(LvmTest, TheSecondAreaServesWhereTheFirstIsBroken) {
  PvImage pv = sound();
  pv.areas = {4096, 900'000};
  DiskImage image = lettered(pv.write(), 'a');
  image.damage(4096 + 5);
  const Opened opened = open({image});
  EXPECT_EQ(opened.letters("lv"), "cde");
  EXPECT_THAT(opened.warnings, ElementsAre(HasSubstr("m0: LVM metadata area: checksum")));
}

TEST(LvmTest, TheNewestTextCountsWhereverItLies) {
  PvImage newer = sound('q');
  newer.text = lvm_group("pq", lvm_volume("lv", 2, lvm_linear("q", 0)), 2);
  const DiskImage p = lettered(sound().write(), 'a');
  const DiskImage q = lettered(newer.write(), 'A');
  EXPECT_EQ(open({p, q}).letters("lv"), "AB");
  EXPECT_EQ(open({q, p}).letters("lv"), "AB");
}

TEST(LvmTest, AMemberWithoutMetadataIsFoundByItsGroup) {
  PvImage bare = sound('q');
  bare.areas = {};
  PvImage pv = sound();
  pv.text = lvm_group("pq", lvm_volume("lv", 2, lvm_linear("q", 0)));
  EXPECT_EQ(open({pv.write(), lettered(bare.write(), 'A')}).letters("lv"), "AB");
}

TEST(LvmTest, TheSameMemberTwice) {
  const DiskImage image = lettered(sound().write(), 'a');
  const Opened opened = open({image, image});
  EXPECT_EQ(opened.letters("lv"), "cde");
  EXPECT_THAT(opened.member_error(1), HasSubstr("is also m0"));
}

TEST(LvmTest, AMissingMemberIsNamedByWhatNeedsItOnly) {
  PvImage pv = sound();
  pv.text =
      lvm_group("pq", lvm_volume("here", 1, lvm_linear("p", 0)) + lvm_volume("gone", 1, lvm_linear("q", 0)));
  const Opened opened = open_one(pv);
  EXPECT_EQ(opened.letters("here"), "a");
  EXPECT_THAT(opened.letters("gone"),
              HasSubstr("the physical volume " + lvm_uuid('q') + " of group vg is missing"));
  EXPECT_EQ(opened.volume("gone").error->code, ENXIO);
}

TEST(LvmTest, AMemberThatIsMarkedAsMissingIsNotUsed) {
  PvImage pv = sound();
  const std::string_view status = "[\"ALLOCATABLE\"]";
  pv.text.replace(pv.text.find(status), status.size(), "[\"ALLOCATABLE\", \"MISSING\"]");
  const Opened opened = open_one(pv);
  EXPECT_THAT(opened.letters("lv"), HasSubstr("is marked as missing"));
  EXPECT_TRUE(opened.lvm.groups[0].physical_volumes[0].outdated);
}

/// The volume "lv" of `extents`, made by `segment`, on p (letters a...) and q (letters A...), beside others.
Opened open_pair(int extents, std::string_view segment, const std::string& others = "") {
  PvImage p = sound();
  p.text = lvm_group("pq", others + lvm_volume("lv", extents, segment));
  PvImage q = sound('q');
  q.areas = {};
  return open({lettered(p.write(), 'a'), lettered(q.write(), 'A')});
}

TEST(LvmTest, Stripes) {
  EXPECT_EQ(open_pair(6, "type=\"striped\" stripe_count=2 stripe_size=8 stripes=[\"p\", 1, \"q\", 2]")
                .letters("lv"),
            "bCcDdE");
}

TEST(LvmTest, StripesThatCannotBe) {
  EXPECT_THAT(open_pair(3, "type=\"striped\" stripe_count=2 stripe_size=8 stripes=[\"p\", 0, \"q\", 0]")
                  .letters("lv"),
              HasSubstr("2 stripes of 4096 bytes in 6144"));
  EXPECT_THAT(open_pair(2, "type=\"striped\" stripe_count=2 stripe_size=0 stripes=[\"p\", 0, \"q\", 0]")
                  .letters("lv"),
              HasSubstr("2 stripes of 0 bytes"));
  EXPECT_THAT(open_pair(2, "type=\"striped\" stripe_count=2 stripe_size=9 stripes=[\"p\", 0, \"q\", 0]")
                  .letters("lv"),
              HasSubstr("2 stripes of 4608 bytes"));
  EXPECT_THAT(
      open_pair(
          2, "type=\"striped\" stripe_count=2 stripe_size=9223372036854775807 stripes=[\"p\", 0, \"q\", 0]")
          .letters("lv"),
      HasSubstr("stripe_size is"));
  EXPECT_THAT(open_pair(2, "type=\"striped\" stripe_count=0 stripes=[]").letters("lv"),
              HasSubstr("0 stripes"));
}

TEST(LvmTest, ExtentsOutsideAPhysicalVolume) {
  EXPECT_EQ(open_pair(1, lvm_linear("p", 15)).letters("lv"), "p");
  EXPECT_THAT(open_pair(2, lvm_linear("p", 15)).letters("lv"), HasSubstr("extents 15 to 16"));
  EXPECT_THAT(open_pair(1, lvm_linear("p", 16)).letters("lv"), HasSubstr("which has 16"));
}

TEST(LvmTest, ADeviceThatIsCutOff) {
  PvImage pv = sound();
  pv.size = extents_at + 4 * extent_size;
  pv.text =
      lvm_group("p", lvm_volume("here", 4, lvm_linear("p", 0)) + lvm_volume("lv", 2, lvm_linear("p", 3)));
  const Opened opened = open({pv.write()});
  EXPECT_TRUE(opened.volume("here").source);
  EXPECT_THAT(opened.letters("lv"), HasSubstr("is behind the end of its device"));
}

TEST(LvmTest, VolumesOnVolumes) {
  EXPECT_EQ(open_pair(2, lvm_linear("inner", 1), lvm_volume("inner", 3, lvm_linear("q", 3), "\"READ\""))
                .letters("lv"),
            "EF");
  EXPECT_THAT(open_pair(3, lvm_linear("inner", 1), lvm_volume("inner", 3, lvm_linear("q", 3), "\"READ\""))
                  .letters("lv"),
              HasSubstr("are not inside vg/inner"));
  EXPECT_THAT(open_pair(1, lvm_linear("nowhere", 0)).letters("lv"), HasSubstr("has no volume nowhere"));
}

TEST(LvmTest, VolumesThatNeedThemselves) {
  EXPECT_THAT(open_pair(1, lvm_linear("lv", 0)).letters("lv"), HasSubstr("too many volumes in each other"));
  EXPECT_THAT(open_pair(1, lvm_linear("x", 0), lvm_volume("x", 1, lvm_linear("lv", 0))).letters("lv"),
              HasSubstr("too many volumes in each other"));
}

TEST(LvmTest, TypesThatCannotBeReadAreNamed) {
  EXPECT_EQ(open_pair(1, "type=\"cache\" origin=\"x\"").letters("lv"),
            "LVM: volumes of type cache cannot be read");
  EXPECT_EQ(open_pair(1, "type=\"raid6_zr\"").letters("lv"), "LVM: volumes of type raid6_zr cannot be read");
  EXPECT_EQ(open_pair(1, "type=\"striped+NEW\"").letters("lv"),
            "LVM: volumes of type striped+NEW cannot be read");
}

TEST(LvmTest, AMirrorWithoutItsFirstLeg) {
  const Opened opened = open_one([] {
    PvImage pv = sound();
    pv.text =
        lvm_group("pq", lvm_volume("lv", 2, "type=\"mirror\" mirror_count=2 mirrors=[\"q\", 0, \"p\", 4]"));
    return pv;
  }());
  EXPECT_EQ(opened.letters("lv"), "ef");
  EXPECT_THAT(opened.warnings, ElementsAre(HasSubstr("vg/lv: another leg is used")));
}

TEST(LvmTest, Zeros) {
  EXPECT_EQ(open_pair(2, "type=\"zero\"").letters("lv"), std::string(2, '\0'));
}

// raid1: metadata in extent 15 of each, images in extents 0 and 1.

constexpr auto raid_parts = [] {
  return lvm_volume("m0", 1, lvm_linear("p", 15), "") + lvm_volume("i0", 2, lvm_linear("p", 0), "") +
         lvm_volume("m1", 1, lvm_linear("q", 15), "") + lvm_volume("i1", 2, lvm_linear("q", 0), "");
};

struct RaidState {
  std::uint64_t events = 1;
  std::uint64_t failed = 0;
  std::uint64_t recovered = ~std::uint64_t{0};
};

DiskImage with_state(DiskImage image, const RaidState& state) {
  const std::uint64_t at = extents_at + 15 * extent_size;
  image.put(at, le32{0x64526d44}).put(at + 16, le64{state.events}).put(at + 24, le64{state.failed});
  return image.put(at + 32, le64{state.recovered});
}

std::string raid_letters(const RaidState& first, const RaidState& second) {
  PvImage p = sound();
  p.text = lvm_group("pq", raid_parts() + lvm_volume("lv", 2,
                                                     "type=\"raid1\" device_count=2\n"
                                                     "raids=[\"m0\", \"i0\", \"m1\", \"i1\"]"));
  PvImage q = sound('q');
  q.areas = {};
  return open({with_state(lettered(p.write(), 'a'), first), with_state(lettered(q.write(), 'A'), second)})
      .letters("lv");
}

TEST(LvmTest, Raid1TakesTheFirstWholeLeg) {
  EXPECT_EQ(raid_letters({}, {}), "ab");
  EXPECT_EQ(raid_letters({.events = 3}, {.events = 4}), "ab");
  EXPECT_EQ(raid_letters({.events = 2}, {.events = 4}), "AB");
  EXPECT_EQ(raid_letters({}, {.events = 2, .failed = 1}), "AB");
  EXPECT_EQ(raid_letters({.recovered = 100}, {}), "AB");
}

TEST(LvmTest, Raid1WithoutAWholeLeg) {
  EXPECT_THAT(raid_letters({.recovered = 100}, {.recovered = 7}), HasSubstr("no leg is whole"));
  EXPECT_THAT(raid_letters({.failed = 3}, {.failed = 3}),
              HasSubstr("no leg is whole: 0: it failed; 1: it failed"));
}

TEST(LvmTest, Raid0OfImages) {
  EXPECT_EQ(open_pair(4,
                      "type=\"raid0_meta\" stripe_count=2 stripe_size=8\n"
                      "raids=[\"m0\", \"i0\", \"m1\", \"i1\"]",
                      raid_parts())
                .letters("lv"),
            "aAbB");
  EXPECT_EQ(
      open_pair(4, "type=\"raid0\" stripe_count=2 stripe_size=8 raid0_lvs=[\"i0\", \"i1\"]", raid_parts())
          .letters("lv"),
      "aAbB");
  EXPECT_THAT(open_pair(4, "type=\"raid0\" stripe_count=2 stripe_size=8 raid0_lvs=[\"i0\"]", raid_parts())
                  .letters("lv"),
              HasSubstr("1 sub volumes, where stripe_count is 2"));
}

// Snapshots of the old kind: the origin is in p from extent 0 on, the store in q.

DiskImage store(DiskImage image, std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> exceptions) {
  image.put(extents_at, le32{0x70416e53}).put(extents_at + 4, le32{1}).put(extents_at + 8, le32{1});
  image.put(extents_at + 12, le32{8});
  std::uint64_t at = extents_at + extent_size;
  for (const auto& [old_chunk, new_chunk] : exceptions) {
    image.put(at, le64{old_chunk}).put(at + 8, le64{new_chunk});
    at += 16;
  }
  return image.put(at + 8, le64{0});
}

Opened open_snapshot(const std::function<DiskImage(DiskImage)>& fill) {
  PvImage p = sound();
  p.text = lvm_group(
      "pq",
      lvm_volume("origin", 6, lvm_linear("p", 0)) +
          lvm_volume("snap", 8, lvm_linear("q", 0), "\"READ\", \"WRITE\"") +
          lvm_volume("snapshot0", 6, "type=\"snapshot\" chunk_size=8 origin=\"origin\" cow_store=\"snap\""));
  PvImage q = sound('q');
  q.areas = {};
  return open({lettered(p.write(), 'a'), fill(lettered(q.write(), 'A'))});
}

TEST(LvmTest, ASnapshotIsItsOriginButForExceptions) {
  const Opened opened = open_snapshot([](DiskImage image) { return store(image, {{4, 2}, {1, 3}, {2, 4}}); });
  EXPECT_EQ(opened.letters("snap"), "aDEdCf");
  EXPECT_EQ(opened.letters("origin"), "abcdef");
  EXPECT_EQ(opened.volume("snap").type, "snapshot");
  EXPECT_TRUE(opened.volume("snap").visible);
  EXPECT_EQ(opened.volume("snapshot0").name, "");
}

TEST(LvmTest, ASnapshotThatWasNeverUsed) {
  EXPECT_EQ(open_snapshot([](DiskImage image) { return image.put(extents_at, le32{0}); }).letters("snap"),
            "abcdef");
}

TEST(LvmTest, SnapshotsThatCannotBeRead) {
  const auto with = [](std::uint64_t offset, std::uint32_t value) {
    return open_snapshot(
               [=](DiskImage image) { return store(image, {{1, 2}}).put(extents_at + offset, le32{value}); })
        .letters("snap");
  };
  EXPECT_THAT(with(0, 1), HasSubstr("no magic number"));
  EXPECT_THAT(with(4, 0), HasSubstr("its store was full"));
  EXPECT_THAT(with(8, 2), HasSubstr("version 2"));
  EXPECT_THAT(with(12, 0), HasSubstr("chunks of 0 bytes"));
  EXPECT_THAT(with(12, 24), HasSubstr("chunks of 12288 bytes"));
  EXPECT_THAT(with(12, 0xffffffff), HasSubstr("LVM snapshot: chunks of"));
  EXPECT_THAT(with(extent_size, 6), HasSubstr("chunk 6 of 6"));
  EXPECT_THAT(with(extent_size + 8, 8), HasSubstr("in chunk 8 of 8"));
}

TEST(LvmTest, AChunkThatIsInTheStoreTwice) {
  EXPECT_THAT(
      open_snapshot([](DiskImage image) { return store(image, {{1, 2}, {2, 3}, {2, 5}}); }).letters("snap"),
      HasSubstr("chunk 2 is in the store twice"));
}

}  // namespace
}  // namespace vmfs
