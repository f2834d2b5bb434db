// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ext4_journal_image.h"

namespace vmfs::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t v3 = ext4::journal_csum_v3 | ext4::journal_64bit;

/// A file "data" of one block with the text "old", and a journal.
class Journaled {
 public:
  explicit Journaled(std::uint32_t compat = 0, std::uint32_t incompat = 0, std::uint32_t start = 1,
                     const std::string& options = "-t ext4 -b 1024 -O ^metadata_csum -J size=1")
      : image(options, "8M",
              [](const auto& folder) { std::ofstream(folder / "data") << std::string(1024, 'o'); }),
        journal(image, compat, incompat, start),
        target(journal.blocks_of("/data").at(0)) {}

  /// The first letter of the file, or "error ERRNO".
  std::string letter(bool recover = true) {
    const auto filesystem = image.open(recover);
    if (!filesystem) return fmt::format("error {}", filesystem.error().code);
    state = (*filesystem)->info().state;
    return contents_of(**filesystem, "data").substr(0, 1);
  }

  Ext4Image image;
  JournalWriter journal;
  std::uint64_t target;
  std::string state;
};

std::string text(char letter) {
  return std::string(1024, letter);
}

struct Format {
  std::uint32_t compat;
  std::uint32_t incompat;
};

class Ext4JournalFormatTest : public testing::TestWithParam<Format> {};

INSTANTIATE_TEST_SUITE_P(All, Ext4JournalFormatTest,
                         testing::Values(Format{0, 0}, Format{0, ext4::journal_64bit},
                                         Format{0, ext4::journal_csum_v2},
                                         Format{0, ext4::journal_csum_v2 | ext4::journal_64bit},
                                         Format{0, ext4::journal_csum_v3}, Format{0, v3},
                                         Format{ext4::journal_checksum_v1, 0},
                                         Format{ext4::journal_checksum_v1, ext4::journal_async_commit}));

TEST_P(Ext4JournalFormatTest, WholeTransactionsAreShown) {
  Journaled disk(GetParam().compat, GetParam().incompat);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('3'));
  EXPECT_EQ(disk.letter(), "2");
  EXPECT_EQ(disk.state, "replayed");
  EXPECT_THAT(disk.image.warnings, ElementsAre(HasSubstr("replayed 2 transactions (1 block)")));
}

TEST_P(Ext4JournalFormatTest, RevokedBlocksStayAsTheyAre) {
  Journaled disk(GetParam().compat, GetParam().incompat);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.revoke(disk.target);
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), "o");
}

TEST_P(Ext4JournalFormatTest, BlocksLoggedAfterTheirRevocationAreShown) {
  Journaled disk(GetParam().compat, GetParam().incompat);
  disk.journal.revoke(disk.target);
  disk.journal.commit();
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), "1");
}

TEST_P(Ext4JournalFormatTest, TheLogIsARing) {
  Journaled disk(GetParam().compat, GetParam().incompat, 1020);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('3'));
  disk.journal.commit();
  EXPECT_LT(disk.journal.next(), 20U);
  EXPECT_EQ(disk.letter(), "3");
}

TEST_P(Ext4JournalFormatTest, EscapedBlocksGetTheirMagicNumberBack) {
  Journaled disk(GetParam().compat, GetParam().incompat);
  disk.journal.log(disk.target, "\xc0\x3b\x39\x98 and more");
  disk.journal.commit();
  const auto filesystem = disk.image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(contents_of(**filesystem, "data").substr(0, 13), "\xc0\x3b\x39\x98 and more");
}

TEST(Ext4JournalTest, WithoutRecoveryTheDiskIsShownAsItIs) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(false), "o");
  EXPECT_EQ(disk.state, "dirty");
  EXPECT_THAT(disk.image.warnings, ElementsAre(HasSubstr("journal was not replayed")));
}

TEST(Ext4JournalTest, AnEmptyJournalSaysNothing) {
  Journaled disk(0, v3);
  disk.journal.superblock.s_start = 0U;
  disk.journal.write_superblock();
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), "o");
  EXPECT_EQ(disk.state, "clean");
  EXPECT_THAT(disk.image.warnings, IsEmpty());
}

TEST(Ext4JournalTest, ReplayedBlocksAreNotCopied) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  const auto filesystem = disk.image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const auto file = (*filesystem)->open(resolve(**filesystem, "data"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->map(0, 1024)->offset, disk.journal.place(2));
}

TEST(Ext4JournalTest, TheSuperblockIsReadAgain) {
  Journaled disk(0, v3);
  std::string superblock(1024, '\0');
  std::memcpy(superblock.data(), disk.image.bytes().data() + 1024, 1024);
  superblock.replace(0x78, 5, "fresh");
  disk.journal.log(1, superblock);
  disk.journal.commit();
  const auto filesystem = disk.image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ((*filesystem)->info().label, "fresh");
  EXPECT_THAT((*filesystem)->info().features, testing::Not(testing::Contains("needs_recovery")));
}

TEST(Ext4JournalTest, AWrongChecksumOfALoggedBlockIsAnErrorThatNamesIt) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.block(2)[0] = std::byte{'x'};
  const auto filesystem = disk.image.open();
  ASSERT_FALSE(filesystem);
  EXPECT_EQ(filesystem.error().code, EBADMSG);
  EXPECT_THAT(filesystem.error().what, HasSubstr("block 2, the copy of block"));
  EXPECT_THAT(filesystem.error().what, HasSubstr("--norecovery"));
  EXPECT_EQ(disk.letter(false), "o");
}

TEST(Ext4JournalTest, AWrongChecksumOfACommitBlockEndsTheLog) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit();
  disk.journal.block(6)[52] ^= std::byte{1};
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, ACommitBlockWhoseRestIsGarbageIsAccepted) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.block(3)[1000] = std::byte{1};
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, AWrongChecksumOfATransactionEndsTheLog) {
  Journaled disk(ext4::journal_checksum_v1, 0);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit();
  disk.journal.block(5)[0] = std::byte{'x'};
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, WithAsyncCommitsTheFirstBrokenTransactionEndsTheLogToo) {
  Journaled disk(ext4::journal_checksum_v1, ext4::journal_async_commit);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit();
  disk.journal.log(disk.target, text('3'));
  disk.journal.commit();
  disk.journal.block(5)[0] = std::byte{'x'};
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, ABrokenDescriptorBeforeALaterCommitIsAnError) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit(1000);
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit(1001);
  disk.journal.block(4)[900] = std::byte{1};
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EBADMSG));
}

TEST(Ext4JournalTest, ABrokenDescriptorOfAnEarlierLifeEndsTheLog) {
  Journaled disk(0, v3);
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit(1000);
  disk.journal.log(disk.target, text('2'));
  disk.journal.commit(999);
  disk.journal.block(4)[900] = std::byte{1};
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, RevokeRecordsOutsideTheirBlockAreRefused) {
  Journaled disk;
  disk.journal.revoke(disk.target);
  disk.journal.commit();
  disk.journal.block(1)[14] = std::byte{0x10};
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EUCLEAN));
}

TEST(Ext4JournalTest, CopiesOfBlocksOutsideTheVolumeAreRefused) {
  Journaled disk;
  disk.journal.log(8192, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EUCLEAN));
}

TEST(Ext4JournalTest, ARingOfOneTransactionIsRefused) {
  Journaled disk;
  for (int i = 0; i < 1023; ++i) disk.journal.revoke(disk.target);
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EUCLEAN));
}

TEST(Ext4JournalTest, AJournalLongerThanItsFileIsRefused) {
  Journaled disk;
  disk.journal.superblock.s_maxlen = 1025U;
  disk.journal.write_superblock();
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EUCLEAN));
}

TEST(Ext4JournalTest, AWrongChecksumOfTheJournalsSuperblockIsRefused) {
  Journaled disk(0, v3);
  disk.journal.block(0)[500] ^= std::byte{1};
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EBADMSG));
}

TEST(Ext4JournalTest, UnknownFeaturesAreRefused) {
  Journaled disk(0, 0x40);
  EXPECT_EQ(disk.letter(), fmt::format("error {}", EOPNOTSUPP));
}

TEST(Ext4JournalTest, ALostJournalInodeIsFoundByItsCopyInTheSuperblock) {
  Journaled disk;
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  const std::string output = disk.image.output_of("debugfs -R 'imap <8>' image 2>/dev/null | cat");
  const auto block = std::stoul(output.substr(output.find("at block ") + 9));
  const auto offset = std::stoul(output.substr(output.find("offset ") + 7), nullptr, 16);
  std::ranges::fill(std::span(disk.image.bytes()).subspan(block * 1024 + offset, 128), std::byte{});
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, JournalsWithBlockMapsAreRead) {
  Journaled disk(0, 0, 1, "-t ext3 -b 1024 -J size=1");
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), "1");
}

TEST(Ext4JournalTest, AnExternalJournalGivesAWarning) {
  Journaled disk;
  std::ranges::fill(std::span(disk.image.bytes()).subspan(1024 + 0xe0, 4), std::byte{});
  EXPECT_EQ(disk.letter(), "o");
  EXPECT_EQ(disk.state, "dirty");
  EXPECT_THAT(disk.image.warnings, ElementsAre(HasSubstr("on another device")));
}

TEST(Ext4JournalTest, RecordedErrorsOfTheJournalCount) {
  Journaled disk;
  disk.journal.superblock.s_errno = 5U;
  disk.journal.write_superblock();
  disk.journal.log(disk.target, text('1'));
  disk.journal.commit();
  EXPECT_EQ(disk.letter(), "1");
  EXPECT_EQ(disk.state, "damaged");
}

}  // namespace
}  // namespace vmfs::test
