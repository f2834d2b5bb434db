// SPDX-License-Identifier: MIT
#include "fs/fat/fat.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/fat/name.h"
#include "fs/fat/time.h"
#include "fs/path.h"
#include "tests/unit/fat_image.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using testing::FatImage;
using ::testing::HasSubstr;

constexpr std::uint8_t plain = 0x20;
constexpr std::size_t root = FatImage::root;

std::uint8_t checksum_of(std::string_view name) {
  fat::DirEntry entry{};
  std::ranges::transform(name, entry.name.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return fat::name_checksum(entry);
}

std::vector<std::string> list(const FatImage& image, std::string_view path = "/") {
  const auto fs = *image.open();
  std::vector<std::string> names;
  const auto done = fs->list(*resolve(*fs, path), 0, [&](const DirectoryEntry& entry) {
    if (entry.name != "." && entry.name != "..") names.emplace_back(entry.name);
    return true;
  });
  if (!done) names.emplace_back(strerrorname_np(done.error().code));
  return names;
}

std::string contents(const FatImage& image, std::string_view path) {
  const auto fs = *image.open();
  const auto inode = resolve(*fs, path);
  if (!inode) return strerrorname_np(inode.error().code);
  const auto text = read_small_file(*fs, *inode, 1U << 20);
  return text ? *text : strerrorname_np(text.error().code);
}

template <class Change>
std::string refusal(const Change& change) {
  FatImage image;
  auto boot = *read_struct<fat::BootSector>(*image.source(), 0);
  change(boot);
  const auto fs = image.put(0, boot).open();
  return fs ? "opened" : fmt::format("{}: {}", strerrorname_np(fs.error().code), fs.error().what);
}

TEST(FatBootSectorTest, FieldsThatCannotBeAreRefused) {
  EXPECT_EQ(refusal([](auto&) {}), "opened");
  EXPECT_THAT(refusal([](auto& boot) { boot.bytes_per_sec = 256; }),
              HasSubstr("EUCLEAN: fat: bytes_per_sec 256"));
  EXPECT_THAT(refusal([](auto& boot) { boot.bytes_per_sec = 8192; }), HasSubstr("bytes_per_sec"));
  EXPECT_THAT(refusal([](auto& boot) { boot.sec_per_clus = 3; }), HasSubstr("sec_per_clus 3"));
  EXPECT_THAT(refusal([](auto& boot) { boot.sec_per_clus = 0; }), HasSubstr("sec_per_clus 0"));
  EXPECT_THAT(refusal([](auto& boot) { boot.rsvd_sec_cnt = 0; }), HasSubstr("rsvd_sec_cnt"));
  EXPECT_THAT(refusal([](auto& boot) { boot.num_fats = 0; }), HasSubstr("num_fats"));
  EXPECT_THAT(refusal([](auto& boot) { boot.media = 0x12; }), HasSubstr("media"));
  EXPECT_THAT(refusal([](auto& boot) { boot.root_ent_cnt = 7; }), HasSubstr("root_ent_cnt"));
  EXPECT_THAT(refusal([](auto& boot) { boot.tot_sec16 = 30; }), HasSubstr("on a volume of 30"));
  EXPECT_THAT(refusal([](auto& boot) { boot.fat_sz16 = 200; }), HasSubstr("tables that end"));
  EXPECT_THAT(refusal([](auto& boot) { boot.fat_sz16 = 0; }), HasSubstr("on a volume of 8228"));
}

TEST(FatBootSectorTest, UuidAndStateAreThere) {
  const auto fs =
      *FatImage().entry(root, 0, "MY DISK", fat::attr_volume_id, 0).put(37, std::uint8_t{1}).open();
  EXPECT_EQ(fs->info().uuid, "1234-ABCD");
  EXPECT_EQ(fs->info().label, "MY DISK");
  EXPECT_EQ(fs->info().state, "dirty");
  EXPECT_THAT(fs->info().features, ElementsAre("FAT16"));
}

TEST(FatNameTest, ShortNamesHaveCaseBitsAndCodePage437) {
  FatImage image;
  image.entry(root, 0, "README  TXT", plain, 0).entry(root, 1, "LOWER   TXT", plain, 0);
  image.put(root + 32 + 12, std::uint8_t{0x18}).entry(root, 2, "NOEXT", plain, 0);
  image
      .entry(root, 3,
             "GR\x99\xe1"
             "E   X",
             plain, 0)
      .entry(root, 4,
             "\x05"
             "B",
             plain, 0);
  image.entry(root, 5, "\x80\x92\xa5", plain, 0).put(root + 5 * 32 + 12, std::uint8_t{0x08});
  image.entry(root, 6, "A B C   D E", plain, 0);
  EXPECT_THAT(list(image),
              ElementsAre("README.TXT", "lower.txt", "NOEXT", "GRÖßE.X", "σB", "çæñ", "A B C.D E"));
}

TEST(FatNameTest, LabelsFreeAndDeletedEntriesAreNoFiles) {
  FatImage image;
  image.entry(root, 0, "LABEL", fat::attr_volume_id, 0)
      .entry(root, 1,
             "\xe5"
             "GONE",
             plain, 0);
  image.entry(root, 3, "           ", plain, 0).entry(root, 4, "THERE", plain, 0);
  EXPECT_THAT(list(image), ElementsAre("THERE"));
}

TEST(FatNameTest, LongNamesAreJoinedAndFoundInAnyCase) {
  FatImage image;
  const std::uint8_t sum = checksum_of("LONGNA~1TXT");
  image.part(root, 0, 0x42, u"ä 😀.txt", sum).part(root, 1, 1, u"A long name, ", sum);
  image.entry(root, 2, "LONGNA~1TXT", plain, 0);
  EXPECT_THAT(list(image), ElementsAre("A long name, ä 😀.txt"));
  EXPECT_EQ(contents(image, "/a LONG name, ä 😀.TXT"), "");
  EXPECT_EQ(contents(image, "/longna~1.txt.."), "");
  EXPECT_EQ(contents(image, "/A long name, Ä 😀.txt"), "ENOENT");
}

TEST(FatNameTest, BrokenLongNamesLeaveTheShortOne) {
  const std::uint8_t sum = checksum_of("FILE       ");
  const auto with = [&](std::uint8_t first, std::uint8_t second, std::uint8_t checksum) {
    return list(FatImage()
                    .part(root, 0, first, u"first", sum)
                    .part(root, 1, second, u"second", checksum)
                    .entry(root, 2, "FILE", plain, 0));
  };
  EXPECT_THAT(with(0x42, 1, sum), ElementsAre("second"));
  EXPECT_THAT(with(0x43, 2, sum), ElementsAre("FILE"));
  EXPECT_THAT(with(0x42, 0x41, static_cast<std::uint8_t>(sum + 1)), ElementsAre("FILE"));
  EXPECT_THAT(with(0x42, 0x41, sum), ElementsAre("second"));
  EXPECT_THAT(with(0x55, 0x41, sum), ElementsAre("second"));
  EXPECT_THAT(with(0x40, 1, sum), ElementsAre("FILE"));
}

TEST(FatNameTest, NamesThatNoFileCanHaveAreNotListed) {
  const std::uint8_t sum = checksum_of("FILE       ");
  EXPECT_THAT(list(FatImage().part(root, 0, 0x41, u"a/b", sum).entry(root, 1, "FILE", plain, 0)),
              ElementsAre());
  EXPECT_THAT(list(FatImage().part(root, 0, 0x41, u"..", sum).entry(root, 1, "FILE", plain, 0)),
              ElementsAre());
}

TEST(FatNameTest, HalfCharactersAreLeftOut) {
  EXPECT_EQ(fat::long_name(u"a\xd800z"), "az");
  EXPECT_EQ(fat::long_name(u"a\xdc00z\xd83d"), "az");
  EXPECT_EQ(fat::long_name(u"\xd83d\xde00"), "😀");
}

TEST(FatFileTest, ChainsAreFollowed) {
  FatImage image;
  image.entry(root, 0, "FILE", plain, 5, 1100).link(5, 3).link(3, 4).link(4, 0xffff);
  image.put(FatImage::at(5), 'a').put(FatImage::at(3), 'b').put(FatImage::at(4), 'c');
  const std::string text = contents(image, "/FILE");
  ASSERT_EQ(text.size(), 1100U);
  EXPECT_EQ(text[0], 'a');
  EXPECT_EQ(text[512], 'b');
  EXPECT_EQ(text[1024], 'c');
}

TEST(FatFileTest, BrokenChainsAreErrorsOfWhatIsBehind) {
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 5, 600).link(5, 0xffff), "/FILE"), "EIO");
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 5, 600).link(5, 0), "/FILE"), "EIO");
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 5, 600).link(5, 0x7fff), "/FILE"), "EIO");
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 1, 600), "/FILE"), "EIO");
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 0, 0), "/FILE"), "");
  EXPECT_EQ(contents(FatImage().entry(root, 0, "FILE", plain, 8000, 5).link(8000, 0xffff), "/FILE"), "EIO");
}

TEST(FatFileTest, CircularChainsEndWithTheSize) {
  EXPECT_EQ(
      contents(FatImage().entry(root, 0, "FILE", plain, 5, 100000).link(5, 6).link(6, 5), "/FILE").size(),
      100000U);
}

TEST(FatFileTest, OnlyFilesAreOpened) {
  const auto fs = *FatImage().directory(0, "DIR", 5).open();
  EXPECT_EQ(fs->open(*resolve(*fs, "/DIR")).error().code, EISDIR);
  EXPECT_EQ(fs->open(fs->root()).error().code, EISDIR);
  EXPECT_EQ(fs->open(Inode{2}).error().code, ESTALE);
  EXPECT_EQ(fs->open(Inode{~std::uint64_t{0}}).error().code, ESTALE);
  EXPECT_EQ(fs->stat(Inode{root / 32 + 9}).error().code, ESTALE);
}

TEST(FatDirectoryTest, AttributesAreThoseOfLinux) {
  FatImage image;
  image.directory(0, "DIR", 5).entry(root, 1, "RO", plain | fat::attr_read_only, 0);
  const auto fs = *image.open("rw,uid=7,gid=8,umask=0077,fmask=0133");
  const Attributes directory = *fs->stat(*resolve(*fs, "/DIR"));
  const Attributes file = *fs->stat(*resolve(*fs, "/RO"));
  EXPECT_EQ(directory.mode, mode_t{S_IFDIR | 0700});
  EXPECT_EQ(directory.links, 2U);
  EXPECT_EQ(directory.size, 512U);
  EXPECT_EQ(directory.uid, 7U);
  EXPECT_EQ(file.mode, mode_t{S_IFREG | 0444});
  EXPECT_EQ(file.gid, 8U);
  EXPECT_EQ(fs->stat(fs->root())->links, 3U);
  EXPECT_EQ(fs->stat(fs->root())->mode, mode_t{S_IFDIR | 0700});
}

TEST(FatDirectoryTest, DotDotIsFoundWithoutAWalk) {
  FatImage image;
  image.directory(0, "A", 5).entry(FatImage::at(5), 2, "B", fat::attr_directory, 6).link(6, 0xffff);
  image.entry(FatImage::at(6), 0, ".", fat::attr_directory, 6)
      .entry(FatImage::at(6), 1, "..", fat::attr_directory, 5);
  image.entry(FatImage::at(6), 2, "C", fat::attr_directory, 7).link(7, 0xffff);
  image.entry(FatImage::at(7), 0, ".", fat::attr_directory, 7)
      .entry(FatImage::at(7), 1, "..", fat::attr_directory, 6);
  const auto fs = *image.open();
  const Inode c = *resolve(*fs, "/A/B/C");
  const auto fresh = *image.open();
  EXPECT_EQ(*fresh->lookup(c, ".."), *resolve(*fs, "/A/B"));
  EXPECT_EQ(*fresh->lookup(*resolve(*fs, "/A"), ".."), fs->root());
  EXPECT_EQ(*fs->lookup(fs->root(), ".."), fs->root());
}

TEST(FatDirectoryTest, CircularDirectoriesEnd) {
  FatImage image;
  image.directory(0, "LOOP", 5).link(5, 5).entry(FatImage::at(5), 2, "FILE", plain, 0);
  const auto fs = *image.open();
  const Inode loop = *fs->lookup(fs->root(), "LOOP");
  std::size_t names = 0;
  const auto done = fs->list(loop, 0, [&](const DirectoryEntry&) { return ++names != 0; });
  EXPECT_EQ(names, 2 + 65536U / 16);
  EXPECT_EQ(done.error().code, EIO);
  EXPECT_EQ(fs->stat(loop).error().code, EIO);
}

TEST(FatDirectoryTest, DirectoriesWithoutAPlaceAreDamaged) {
  FatImage image;
  image.entry(root, 0, "ZERO", fat::attr_directory, 0).entry(root, 1, "OUT", fat::attr_directory, 0x7fff);
  image.entry(root, 2, "EMPTY", fat::attr_directory, 5).link(5, 0xffff);
  const auto fs = *image.open();
  EXPECT_EQ(fs->stat(*fs->lookup(fs->root(), "ZERO")).error().code, EIO);
  EXPECT_EQ(fs->stat(*fs->lookup(fs->root(), "OUT")).error().code, EIO);
  EXPECT_EQ(fs->stat(*fs->lookup(fs->root(), "EMPTY")).error().code, EIO);
}

TEST(FatDirectoryTest, AListingGoesOnWhereItStopped) {
  FatImage image;
  image.directory(0, "DIR", 5).link(5, 6).link(6, 0xffff);
  for (std::size_t i = 2; i < 16; ++i) image.entry(FatImage::at(5), i, fmt::format("F{}", i), plain, 0);
  for (std::size_t i = 0; i < 16; ++i) image.entry(FatImage::at(6), i, fmt::format("G{}", i), plain, 0);
  const auto fs = *image.open();
  const Inode directory = *resolve(*fs, "/DIR");
  std::vector<std::string> whole;
  std::vector<std::string> pieces;
  ASSERT_TRUE(
      fs->list(directory, 0, [&](const DirectoryEntry& e) { return whole.emplace_back(e.name), true; }));
  std::uint64_t cookie = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::uint64_t next = cookie;
    ASSERT_TRUE(fs->list(directory, cookie, [&](const DirectoryEntry& e) {
      if (next != cookie) return false;
      pieces.emplace_back(e.name);
      next = e.next;
      return true;
    }));
    cookie = next;
  }
  EXPECT_EQ(whole.size(), 32U);
  EXPECT_EQ(pieces, whole);
}

TEST(FatUsageTest, FreeClustersAreCounted) {
  const Usage usage = *(*FatImage().link(5, 6).link(6, 0xffff).open())->usage();
  EXPECT_EQ(usage.block_size, 512U);
  EXPECT_EQ(usage.blocks, 8192U);
  EXPECT_EQ(usage.blocks_free, 8190U);
}

TEST(FatTimeTest, DatesAreThoseOfTheCalendar) {
  EXPECT_EQ(fat::to_time(0x21, 0, 0).tv_sec, 315532800);                        // 1980-01-01
  EXPECT_EQ(fat::to_time((20 << 9) | (2 << 5) | 29, 0, 0).tv_sec, 951782400);   // 2000-02-29
  EXPECT_EQ(fat::to_time((20 << 9) | (3 << 5) | 1, 0, 0).tv_sec, 951868800);    // 2000-03-01
  EXPECT_EQ(fat::to_time((120 << 9) | (3 << 5) | 1, 0, 0).tv_sec, 4107542400);  // 2100-03-01
  EXPECT_EQ(fat::to_time((121 << 9) | (1 << 5) | 1, 0, 0).tv_sec, 4133980800);  // 2101-01-01
  EXPECT_EQ(fat::to_time(0x21, (23 << 11) | (59 << 5) | 29, 199).tv_sec, 315532800 + 86399);
  EXPECT_EQ(fat::to_time(0x21, 0, 150).tv_nsec, 500'000'000);
  EXPECT_EQ(fat::to_time(0, 0, 0).tv_sec, 315532800);
}

}  // namespace
}  // namespace vmfs
