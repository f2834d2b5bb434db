// SPDX-License-Identifier: MIT
#include "formats/partition/partition_table.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/disk_image.h"

namespace vmfs {
namespace {

using testing::DiskImage;
using ::testing::ElementsAre;
using testing::Gpt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What is read from a disk, as text: "number:first sector+sectors" each, and the warnings.
struct Reading {
  std::vector<std::string> partitions;
  std::vector<std::string> warnings;
  std::optional<PartitionTable> table;
  Error error{0, ""};
};

Reading read_disk(const DiskImage& image) {
  Reading reading;
  auto table = read_partition_table(*image.source(),
                                    [&](const std::string& text) { reading.warnings.push_back(text); });
  if (!table) {
    reading.error = table.error();
    return reading;
  }
  reading.table = *std::move(table);
  if (!reading.table) return reading;
  for (const Partition& partition : reading.table->partitions) {
    reading.partitions.push_back(fmt::format("{}:{}+{}", partition.number,
                                             partition.offset / reading.table->sector_size,
                                             partition.size / reading.table->sector_size));
  }
  return reading;
}

TEST(GptTest, PartitionsKeepTheirNumbersAndNames) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49, u"boot").entry(6, 100, 199, u"Größe 🐧").write());
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10", "7:100+100"));
  EXPECT_THAT(reading.warnings, IsEmpty());
  EXPECT_EQ(reading.table->kind, "gpt");
  EXPECT_EQ(reading.table->id, "11223344-0000-0000-0000-000000000000");
  EXPECT_EQ(reading.table->partitions[0].type, "0FC63DAF-0000-0000-0000-000000000000");
  EXPECT_EQ(reading.table->partitions[1].uuid, "00000007-0000-0000-0000-000000000000");
  EXPECT_EQ(reading.table->partitions[1].name, "Größe 🐧");
}

TEST(GptTest, LoneSurrogatesInANameAreReplaced) {
  static constexpr char16_t name[] = {u'a', 0xd800, u'b', 0xdc00, 0xd83d, 0};
  const Reading reading = read_disk(Gpt().entry(0, 40, 49, name).write());
  EXPECT_EQ(reading.table->partitions.at(0).name, "a\ufffdb\ufffd\ufffd");
}

TEST(GptTest, ANameMayFillItsField) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49, std::u16string(36, u'x')).write());
  EXPECT_EQ(reading.table->partitions.at(0).name, std::string(36, 'x'));
}

TEST(GptTest, SectorsOf4096BytesAreFound) {
  const Reading reading = read_disk(Gpt{.sector_size = 4096}.entry(0, 40, 49).write());
  EXPECT_EQ(reading.table->sector_size, 4096U);
  EXPECT_EQ(reading.table->partitions.at(0).offset, 40U * 4096);
}

TEST(GptTest, LargerEntriesAreRead) {
  const Reading reading = read_disk(Gpt{.entry_size = 256}.entry(0, 60, 69).entry(3, 100, 109).write());
  EXPECT_THAT(reading.partitions, ElementsAre("1:60+10", "4:100+10"));
}

TEST(GptTest, BrokenHeaderChecksumMeansTheBackup) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().damage(512 + 40));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("header CRC")));
}

TEST(GptTest, BrokenEntriesChecksumMeansTheBackup) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().damage(1024 + 56));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("CRC of the entries")));
}

TEST(GptTest, MissingPrimaryMeansTheBackup) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().damage(512));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("backup")));
}

TEST(GptTest, BackupOf4096ByteSectorsIsFound) {
  const Reading reading = read_disk(Gpt{.sector_size = 4096}.entry(0, 40, 49).write().damage(4096 + 16));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
  EXPECT_EQ(reading.table->sector_size, 4096U);
}

TEST(GptTest, TwoBrokenCopiesAreAnError) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().damage(512 + 40).damage(2047 * 512 + 40));
  EXPECT_EQ(reading.error.code, EUCLEAN);
  EXPECT_THAT(reading.error.what, HasSubstr("backup header at LBA 2047"));
}

TEST(GptTest, ProtectiveRecordAloneIsAnError) {
  EXPECT_EQ(read_disk(DiskImage(1 << 20).record(0, 0, 0xee, 1, 2047)).error.code, EUCLEAN);
}

TEST(GptTest, ProtectiveRecordOnATinyDiskIsAnError) {
  EXPECT_EQ(read_disk(DiskImage(512).record(0, 0, 0xee, 1, 2047)).error.code, EUCLEAN);
}

TEST(GptTest, WithoutProtectiveRecordItIsNotLookedAt) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().damage(510));
  EXPECT_FALSE(reading.table);
  EXPECT_EQ(reading.error.code, 0);
}

TEST(GptTest, GptWinsOverTheRecordsOfAHybrid) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().record(0, 1, 0x83, 60, 10));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
}

TEST(GptTest, ProtectiveRecordMayStartElsewhereIfTheGptIsValid) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 49).write().record(0, 0, 0xee, 0, 2047));
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+10"));
}

TEST(GptTest, RecordOfTypeEeElsewhereIsNoTableWithoutGpt) {
  const Reading reading = read_disk(DiskImage(1 << 20).record(0, 0, 0xee, 63, 100));
  EXPECT_FALSE(reading.table);
  EXPECT_EQ(reading.error.code, 0);
}

TEST(GptTest, PartitionThatStartsBehindTheDiskIsLeftOut) {
  const Reading reading = read_disk(Gpt().entry(0, 5000, 5009).entry(1, 40, 49).write());
  EXPECT_THAT(reading.partitions, ElementsAre("2:40+10"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("partition 1: sectors 5000 to 5009")));
}

TEST(GptTest, PartitionThatEndsBehindTheDiskIsLeftOut) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 2048).write());
  EXPECT_THAT(reading.partitions, IsEmpty());
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("partition 1")));
}

TEST(GptTest, PartitionThatEndsBeforeItStartsIsLeftOut) {
  const Reading reading = read_disk(Gpt().entry(0, 49, 40).write());
  EXPECT_THAT(reading.partitions, IsEmpty());
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("wrong way round")));
}

TEST(GptTest, SizesThatOverflowAreLeftOut) {
  const Reading reading = read_disk(Gpt().entry(0, 0, UINT64_MAX).entry(1, UINT64_MAX, UINT64_MAX).write());
  EXPECT_THAT(reading.partitions, IsEmpty());
  EXPECT_EQ(reading.warnings.size(), 2U);
}

TEST(GptTest, PartitionUpToTheLastSectorIsKept) {
  EXPECT_THAT(read_disk(Gpt().entry(0, 40, 2047).write()).partitions, ElementsAre("1:40+2008"));
}

TEST(GptTest, OverlappingPartitionsAreKeptWithAWarning) {
  const Reading reading = read_disk(Gpt().entry(0, 40, 139).entry(1, 50, 59).entry(2, 139, 150).write());
  EXPECT_THAT(reading.partitions, ElementsAre("1:40+100", "2:50+10", "3:139+12"));
  EXPECT_THAT(reading.warnings,
              ElementsAre(HasSubstr("partitions 1 and 2 overlap"), HasSubstr("partitions 1 and 3 overlap")));
}

TEST(GptTest, WarningsAreLimited) {
  Gpt gpt;
  gpt.entries.assign(128, Gpt().entry(0, 9, 1).entries[0]);
  EXPECT_LE(read_disk(gpt.write()).warnings.size(), 17U);
}

TEST(GptTest, PartitionsAreLimited) {
  Gpt gpt;
  gpt.entries.assign(1000, Gpt().entry(0, 40, 49).entries[0]);
  EXPECT_EQ(read_disk(gpt.write()).partitions.size(), max_partitions);
}

/// The error of a disk both of whose headers were changed.
std::string error_of(void (*change)(GptHeader&)) {
  const Reading reading = read_disk(Gpt{.change = change}.entry(0, 40, 49).write());
  return reading.error.code == EUCLEAN ? reading.error.what : "read";
}

TEST(GptTest, CountOfEntriesIsBounded) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.number_of_partition_entries = UINT32_MAX; }),
              HasSubstr("4294967295 entries"));
}

TEST(GptTest, NoEntriesAtAllIsRefused) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.number_of_partition_entries = 0; }),
              HasSubstr("0 entries"));
}

TEST(GptTest, EntrySizeIsChecked) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.size_of_partition_entry = 0; }),
              HasSubstr("entry size 0"));
  EXPECT_THAT(error_of([](GptHeader& header) { header.size_of_partition_entry = 127; }),
              HasSubstr("entry size"));
  EXPECT_THAT(error_of([](GptHeader& header) { header.size_of_partition_entry = UINT32_MAX; }),
              HasSubstr("entry size"));
}

TEST(GptTest, EntriesMustLieInsideTheDisk) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.partition_entry_lba = UINT64_MAX; }),
              HasSubstr("not inside"));
  EXPECT_THAT(error_of([](GptHeader& header) { header.partition_entry_lba = 2047; }),
              HasSubstr("not inside"));
}

TEST(GptTest, EntriesCannotBeTheHeader) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.partition_entry_lba = 1; }), HasSubstr("not inside"));
}

TEST(GptTest, HeaderSizeIsChecked) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.header_size = 91; }), HasSubstr("header size 91"));
  EXPECT_THAT(error_of([](GptHeader& header) { header.header_size = 513; }), HasSubstr("header size 513"));
}

TEST(GptTest, HeaderMustBeWhereItSays) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.my_lba = 7; }), HasSubstr("LBA 7"));
}

TEST(GptTest, UsableSectorsMustLieInsideTheDisk) {
  EXPECT_THAT(error_of([](GptHeader& header) { header.last_usable_lba = 2048; }), HasSubstr("cut off"));
  EXPECT_THAT(error_of([](GptHeader& header) { header.first_usable_lba = 2001; }), HasSubstr("usable"));
}

TEST(MbrTest, PrimaryPartitionsKeepTheirSlots) {
  const Reading reading = read_disk(
      DiskImage(1 << 20).put(440, le32{0x1234abcd}).record(0, 1, 0x83, 100, 10).record(0, 3, 0x0c, 50, 5));
  EXPECT_THAT(reading.partitions, ElementsAre("2:100+10", "4:50+5"));
  EXPECT_EQ(reading.table->kind, "dos");
  EXPECT_EQ(reading.table->id, "1234abcd");
  EXPECT_EQ(reading.table->partitions[1].type, "0c");
  EXPECT_EQ(reading.table->partitions[1].uuid, "1234abcd-04");
  EXPECT_THAT(reading.warnings, IsEmpty());
}

/// An extended partition in slot 2 whose links are in sectors 100 and 200, each before a partition.
DiskImage with_chain() {
  DiskImage image(1 << 20);
  image.record(0, 0, 0x83, 10, 20).record(0, 1, 0x05, 100, 900);
  image.record(100, 0, 0x83, 1, 50).record(100, 1, 0x05, 100, 60);
  image.record(200, 0, 0x82, 1, 50);
  return image;
}

TEST(MbrTest, LogicalPartitionsAreNumberedFrom5) {
  const Reading reading = read_disk(with_chain());
  EXPECT_THAT(reading.partitions, ElementsAre("1:10+20", "2:100+900", "5:101+50", "6:201+50"));
  EXPECT_TRUE(reading.table->partitions[1].extended);
  EXPECT_FALSE(reading.table->partitions[2].extended);
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(MbrTest, ChainThatComesBackIsFollowedOnce) {
  const Reading reading = read_disk(with_chain().record(200, 1, 0x05, 0, 900));
  EXPECT_THAT(reading.partitions, ElementsAre("1:10+20", "2:100+900", "5:101+50", "6:201+50"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("comes back to sector 100")));
}

TEST(MbrTest, ExtendedPartitionThatPointsToItsOwnTableIsFollowedOnce) {
  const Reading reading = read_disk(DiskImage(1 << 20).record(0, 0, 0x05, 0, 2000));
  EXPECT_THAT(reading.partitions, ElementsAre("1:0+2000"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("comes back to sector 0")));
}

TEST(MbrTest, ChainThatLeavesTheDiskEnds) {
  const Reading reading = read_disk(with_chain().record(200, 1, 0x05, 0xffffffff, 900));
  EXPECT_EQ(reading.partitions.size(), 4U);
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("behind the end")));
}

TEST(MbrTest, LinkWithoutSignatureEndsTheChain) {
  const Reading reading = read_disk(with_chain().damage(200 * 512 + 510));
  EXPECT_THAT(reading.partitions, ElementsAre("1:10+20", "2:100+900", "5:101+50"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("no boot signature in sector 200")));
}

TEST(MbrTest, LaterRecordsOfALinkCountOnlyWhenTheyMakeSense) {
  const Reading reading =
      read_disk(with_chain().record(200, 2, 0x83, 52, 5).record(200, 3, 0x83, 0x10000, 0x10000));
  EXPECT_THAT(reading.partitions, ElementsAre("1:10+20", "2:100+900", "5:101+50", "6:201+50", "7:252+5"));
}

/// Links of nothing but the next link.
DiskImage with_endless_chain() {
  DiskImage image(1 << 20);
  image.record(0, 0, 0x05, 10, 2000);
  for (std::uint32_t i = 0; i < 1900; ++i) image.record(10 + i, 0, 0x05, i + 1, 2000);
  return image;
}

TEST(MbrTest, ChainIsBounded) {
  EXPECT_THAT(read_disk(with_endless_chain()).warnings, ElementsAre(HasSubstr("more than 512 links")));
}

TEST(MbrTest, PartitionThatStartsBehindTheDiskIsLeftOut) {
  const Reading reading =
      read_disk(DiskImage(1 << 20).record(0, 0, 0x83, 2048, 1).record(0, 1, 0x83, 10, 10));
  EXPECT_THAT(reading.partitions, ElementsAre("2:10+10"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("partition 1 starts at sector 2048")));
}

TEST(MbrTest, PartitionThatEndsBehindTheDiskIsCutOff) {
  const Reading reading = read_disk(DiskImage(1 << 20).record(0, 0, 0x83, 2047, 0xffffffff));
  EXPECT_THAT(reading.partitions, ElementsAre("1:2047+1"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("cut off")));
}

TEST(MbrTest, TableWithoutRecordsIsNone) {
  EXPECT_FALSE(read_disk(DiskImage(1 << 20).put(510, le16{0xaa55})).table);
}

TEST(MbrTest, BootIndicatorsThatCannotBeMeanBootCode) {
  EXPECT_FALSE(read_disk(DiskImage(1 << 20).record(0, 0, 0x83, 10, 10).put(446, 'S')).table);
}

TEST(MbrTest, DiskShorterThanASectorHasNone) {
  const Reading reading = read_disk(DiskImage(511));
  EXPECT_FALSE(reading.table);
  EXPECT_EQ(reading.error.code, 0);
}

/// The boot sector of a FAT16 file system with a record where its boot code would be.
DiskImage fat_with_record() {
  DiskImage image(1 << 20);
  image.record(0, 0, 0x83, 10, 10).put_text(0, "\xeb\x3c\x90mkfs.fat");
  image.put(11, le16{512})
      .put(13, std::uint8_t{4})
      .put(14, le16{1})
      .put(16, std::uint8_t{2})
      .put(17, le16{512});
  return image.put(19, le16{2048}).put(21, std::uint8_t{0xf8}).put(22, le16{2});
}

TEST(MbrTest, BootSectorOfFatIsNoTable) {
  EXPECT_FALSE(read_disk(fat_with_record()).table);
}

TEST(MbrTest, ImplausibleFatParametersLeaveTheTable) {
  EXPECT_TRUE(read_disk(fat_with_record().put(16, std::uint8_t{0})).table);
  EXPECT_TRUE(read_disk(fat_with_record().put(13, std::uint8_t{3})).table);
  EXPECT_TRUE(read_disk(fat_with_record().put(22, le16{60000})).table);
}

}  // namespace
}  // namespace vmfs
