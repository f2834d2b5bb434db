// SPDX-License-Identifier: MIT
// Where the log begins and ends, on logs made by hand.
#include <cerrno>

#include <gmock/gmock.h>

#include "tests/unit/xfs_log_image.h"

namespace vmfs::tests {
namespace {

using testing::HasSubstr;

std::vector<std::byte> some_transaction(std::uint32_t id) {
  return LogImage::start(id) + buffer_item(id, 512, 0, 1, std::byte{1}) + LogImage::commit(id);
}

TEST(XfsLogTest, LogThatWasNeverWrittenIsClean) {
  const LogImage log;
  EXPECT_TRUE(log.extent()->clean);
}

TEST(XfsLogTest, LogThatEndsWithAnUnmountIsClean) {
  LogImage log;
  log.add(some_transaction(1));
  log.add(LogImage::unmount());
  EXPECT_TRUE(log.extent()->clean);
}

TEST(XfsLogTest, HeadOfTheFirstTurnIsBehindTheLastRecord) {
  LogImage log;
  log.add(LogImage::unmount());
  const std::uint64_t tail = log.add(some_transaction(1), {.tail = lsn_at(1, 2)});
  log.add(some_transaction(2), {.tail = lsn_at(1, 2)});
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_FALSE(extent->clean);
  EXPECT_EQ(extent->tail, tail);
  EXPECT_EQ(extent->head, log.next);
}

TEST(XfsLogTest, HeadOfALaterTurnIsWhereTheCycleChanges) {
  LogImage log;
  log.fill(LogImage::blocks);
  log.fill(100);
  const std::uint64_t tail = log.add(some_transaction(1), {.tail = lsn_at(2, 100)});
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->tail, tail);
  EXPECT_EQ(extent->head, log.next);
}

TEST(XfsLogTest, HeadAtTheEndOfTheRingIsItsStart) {
  LogImage log;
  log.fill(LogImage::blocks - 2);
  const std::uint64_t tail = log.add(some_transaction(1), {.tail = lsn_at(1, LogImage::blocks - 2)});
  ASSERT_EQ(log.next, 0U);
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->tail, tail);
  EXPECT_EQ(extent->head, 0U);
}

TEST(XfsLogTest, RecordMayGoOnAtTheStartOfTheRing) {
  LogImage log;
  log.fill(LogImage::blocks - 1);
  log.add(some_transaction(1), {.tail = lsn_at(1, LogImage::blocks - 1)});
  ASSERT_EQ(log.next, 1U);
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 1U);
}

TEST(XfsLogTest, RecordOfAWrongChecksumAtTheEndIsLeftOut) {
  LogImage log;
  log.add(some_transaction(1), {.tail = lsn_at(1, 0)});
  const std::uint64_t torn = log.add(some_transaction(2), {.tail = lsn_at(1, 0), .seal = false});
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->head, torn);
}

TEST(XfsLogTest, BlocksOfTheCycleBeforeEndTheLogEvenIfARecordFollows) {
  LogImage log;
  log.fill(LogImage::blocks);
  log.add(some_transaction(1), {.tail = lsn_at(2, 0)});
  const std::uint64_t hole = log.next;
  log.next += 64;  // as the turn before had left them
  log.add(some_transaction(2), {.tail = lsn_at(2, 0)});
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->head, hole);
}

TEST(XfsLogTest, HeadIsNeverInsideARecord) {
  LogImage log;
  log.add(some_transaction(1), {.tail = lsn_at(1, 0)});
  const std::uint64_t cut = log.add(std::vector<std::byte>(std::size_t{20} * 512), {.tail = lsn_at(1, 0)});
  log.disk->write(log.offset_of(cut + 10), std::vector<std::byte>(std::size_t{11} * 512));
  const auto extent = log.extent();
  ASSERT_TRUE(extent) << extent.error().what;
  EXPECT_EQ(extent->head, cut);
}

TEST(XfsLogTest, RecordsOf256KibHaveEightHeaders) {
  LogImage log;
  const std::vector<std::byte> filler(100000, std::byte{5});
  const auto body = LogImage::operation(9, 0, filler) + some_transaction(1);
  log.add(body, {.tail = lsn_at(1, 0), .buffer = 262144});
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 1U);
}

TEST(XfsLogTest, WrongChecksumFarFromTheHeadIsAnErrorThatNamesTheBlock) {
  LogImage log;
  log.add(some_transaction(1), {.tail = lsn_at(1, 0)});
  const std::uint64_t bad = log.add(some_transaction(2), {.tail = lsn_at(1, 0), .seal = false});
  // More records than could have been under way.
  for (std::uint32_t i = 3; i < 13; ++i) log.add(some_transaction(i), {.tail = lsn_at(1, 0)});
  const auto extent = log.extent();
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().code, EUCLEAN);
  EXPECT_THAT(extent.error().what, HasSubstr(fmt::format("log block {} ", bad)));
}

TEST(XfsLogTest, LogOfAnotherFileSystemIsAnError) {
  LogImage log;
  log.add(some_transaction(1));
  log.g.uuid = {9};
  const auto recovered = log.recover();
  ASSERT_FALSE(recovered);
  EXPECT_THAT(recovered.error().what, HasSubstr("h_fs_uuid"));
}

TEST(XfsLogTest, TailOutsideTheLogIsAnError) {
  LogImage log;
  log.add(some_transaction(1), {.tail = lsn_at(1, 5000)});
  ASSERT_FALSE(log.extent());
}

TEST(XfsLogTest, TailOfAnotherTurnThanTheHeadCanHaveIsAnError) {
  LogImage log;
  log.add(some_transaction(1), {.tail = lsn_at(7, 0)});
  const auto extent = log.extent();
  ASSERT_FALSE(extent);
  EXPECT_THAT(extent.error().what, HasSubstr("h_tail_lsn"));
}

TEST(XfsLogTest, LogOutsideTheVolumeIsAnError) {
  LogImage log;
  log.g.log_blocks = 5000;
  EXPECT_FALSE(log.extent());
}

}  // namespace
}  // namespace vmfs::tests
