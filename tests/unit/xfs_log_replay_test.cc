// SPDX-License-Identifier: MIT
// What transactions do to the volume, on logs made by hand.
#include <cerrno>
#include <cstddef>

#include <gmock/gmock.h>

#include "fs/xfs/checksum.h"
#include "fs/xfs/format_da.h"
#include "tests/unit/xfs_log_image.h"

namespace vmfs::tests {
namespace {

using testing::HasSubstr;
using xfs::log_op::commit;
using xfs::log_op::cont;
using xfs::log_op::end;
using xfs::log_op::was_cont;

constexpr std::uint64_t sector = 800;  // of the block that the tests change
constexpr std::uint64_t offset = sector * 512;

std::byte byte_at(const Source& source, std::uint64_t at) {
  return *read_struct<std::byte>(source, at);
}

std::vector<std::byte> change(std::uint32_t id, std::byte fill, std::uint32_t flags = 0) {
  return LogImage::start(id) + buffer_item(id, sector, flags, 1, fill) + LogImage::commit(id);
}

// A directory block on the disk, as of `lsn`.
void put_directory_block(const LogImage& log, std::uint64_t lsn) {
  log.disk->put(offset, xfs::Dir3DataHdr{.magic = xfs::dir_magic::data3,
                                         .crc = 0U,
                                         .blkno = sector,
                                         .lsn = lsn,
                                         .uuid = log.g.meta_uuid,
                                         .owner = std::uint64_t{1},
                                         .best_free = {},
                                         .pad = 0U});
}

TEST(XfsReplayTest, ChangedChunkIsSeenAndTheImageIsNot) {
  LogImage log;
  log.add(change(1, std::byte{7}));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{7});
  EXPECT_EQ(byte_at(*recovered->volume, offset + 255), std::byte{7});
  EXPECT_EQ(byte_at(*recovered->volume, offset + 256), std::byte{0});
  EXPECT_EQ(byte_at(*log.disk, offset + 128), std::byte{0});
}

TEST(XfsReplayTest, TransactionWithoutACommitDoesNothing) {
  LogImage log;
  log.add(LogImage::start(1) + buffer_item(1, sector, 0, 1, std::byte{7}));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 0U);
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{0});
}

TEST(XfsReplayTest, OperationsOfATransactionThatStartedBeforeTheTailAreSkipped) {
  LogImage log;
  log.add(buffer_item(1, sector, 0, 1, std::byte{7}) + LogImage::commit(1) + change(2, std::byte{8}));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 1U);
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{8});
}

TEST(XfsReplayTest, RegionAndHeaderMayBeSplitAcrossRecords) {
  LogImage log;
  const auto header = LogImage::transaction_header();
  const std::vector<std::byte> half(header.begin(), header.begin() + 8);
  const std::vector<std::byte> rest(header.begin() + 8, header.end());
  const auto item = buffer_item(1, sector, 0, 1, std::byte{7});
  const std::vector<std::byte> head_of_item(item.begin(), item.begin() + 12 + 24);
  log.add(LogImage::operation(1, xfs::log_op::start) + LogImage::operation(1, cont, half));
  log.add(LogImage::operation(1, was_cont | end, rest) + head_of_item +
          LogImage::operation(1, cont, std::vector<std::byte>(64, std::byte{7})));
  log.add(LogImage::operation(1, was_cont | cont, std::vector<std::byte>(32, std::byte{8})));
  log.add(LogImage::operation(1, was_cont | end, std::vector<std::byte>(32, std::byte{9})) +
          LogImage::commit(1));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128 + 63), std::byte{7});
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128 + 64), std::byte{8});
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128 + 127), std::byte{9});
}

TEST(XfsReplayTest, TransactionsMayBeInterleaved) {
  LogImage log;
  log.add(LogImage::start(1) + LogImage::start(2) + buffer_item(2, sector, 0, 1, std::byte{2}) +
          buffer_item(1, sector, 0, 1, std::byte{1}) + LogImage::commit(2) + LogImage::commit(1));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 2U);
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{1});
}

TEST(XfsReplayTest, BlockThatWasFreedLaterIsLeftAlone) {
  LogImage log;
  log.add(change(1, std::byte{7}));
  log.add(change(2, std::byte{0}, xfs::blf::cancel));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{0});
}

TEST(XfsReplayTest, BlockThatWasFreedAndUsedAgainIsReplayedFromThere) {
  LogImage log;
  log.add(change(1, std::byte{7}));
  log.add(change(2, std::byte{0}, xfs::blf::cancel));
  log.add(LogImage::start(3) + buffer_item(3, sector, 0, 2, std::byte{9}) + LogImage::commit(3));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{0});
  EXPECT_EQ(byte_at(*recovered->volume, offset + 256), std::byte{9});
}

TEST(XfsReplayTest, BlockThatIsNewerThanTheTransactionIsLeftAlone) {
  LogImage log;
  put_directory_block(log, lsn_at(1, 900));
  log.add(change(1, std::byte{7}));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{0});
}

TEST(XfsReplayTest, OlderBlockGetsTheLsnOfTheTransactionAndARightChecksum) {
  LogImage log;
  put_directory_block(log, lsn_at(1, 0));
  log.fill(64);
  const std::uint64_t record = log.add(change(1, std::byte{7}), {.tail = lsn_at(1, 64)});
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  const auto header = *read_struct<xfs::Dir3DataHdr>(*recovered->volume, offset);
  EXPECT_EQ(header.lsn, lsn_at(1, record));
  std::vector<std::byte> block(4096);
  ASSERT_TRUE(read(*recovered->volume, offset, block));
  EXPECT_EQ(header.crc, xfs::checksum(block, offsetof(xfs::Dir3DataHdr, crc)));
}

TEST(XfsReplayTest, BlockOfAnotherFileSystemIsNeverNewer) {
  LogImage log;
  log.g.meta_uuid = {9};
  put_directory_block(log, lsn_at(1, 900));
  log.g.meta_uuid = log.g.uuid;
  log.add(change(1, std::byte{7}));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(byte_at(*recovered->volume, offset + 128), std::byte{7});
}

TEST(XfsReplayTest, NewInodesAreThereAndSound) {
  LogImage log;
  const xfs::IcreateLog icreate{.icl_type = static_cast<std::uint16_t>(xfs::LogItemType::icreate),
                                .icl_size = std::uint16_t{1},
                                .icl_ag = 0U,
                                .icl_agbno = 100U,
                                .icl_count = 64U,
                                .icl_isize = 512U,
                                .icl_length = 8U,
                                .icl_gen = 77U};
  log.add(LogImage::start(1) + LogImage::operation(1, 0, bytes_of(icreate)) + LogImage::commit(1));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  std::vector<std::byte> inode(512);
  ASSERT_TRUE(read(*recovered->volume, 100 * 4096 + 63 * 512, inode));
  const auto last = from_bytes<xfs::Dinode>(inode);
  EXPECT_EQ(last.di_magic, xfs::dinode_magic);
  EXPECT_EQ(last.di_ino, 100U * 8 + 63);
  EXPECT_EQ(last.di_gen, 77U);
  EXPECT_EQ(last.di_crc, xfs::checksum(inode, offsetof(xfs::Dinode, di_crc)));
}

TEST(XfsReplayTest, InodeChunkOutsideTheGroupIsAnError) {
  LogImage log;
  const xfs::IcreateLog icreate{.icl_type = static_cast<std::uint16_t>(xfs::LogItemType::icreate),
                                .icl_size = std::uint16_t{1},
                                .icl_ag = 0U,
                                .icl_agbno = 2047U,
                                .icl_count = 64U,
                                .icl_isize = 512U,
                                .icl_length = 8U,
                                .icl_gen = 0U};
  log.add(LogImage::start(1) + LogImage::operation(1, 0, bytes_of(icreate)) + LogImage::commit(1));
  EXPECT_FALSE(log.recover());
}

TEST(XfsReplayTest, ItemOfAnUnknownTypeIsAnErrorThatNamesTheBlock) {
  LogImage log;
  const xfs::LogItemHead head{.type = std::uint16_t{0x1300}, .size = std::uint16_t{1}};
  const std::uint64_t block =
      log.add(LogImage::start(1) + LogImage::operation(1, 0, bytes_of(head)) + LogImage::commit(1));
  const auto recovered = log.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().code, EUCLEAN);
  EXPECT_THAT(recovered.error().what, HasSubstr(fmt::format("log block {} ", block)));
  EXPECT_THAT(recovered.error().what, HasSubstr("0x1300"));
}

TEST(XfsReplayTest, BufferOutsideTheVolumeIsAnError) {
  LogImage log;
  log.add(LogImage::start(1) + buffer_item(1, 1U << 20, 0, 1, std::byte{1}) + LogImage::commit(1));
  EXPECT_FALSE(log.recover());
}

TEST(XfsReplayTest, OperationLongerThanItsRecordIsAnError) {
  LogImage log;
  auto body = LogImage::start(1) + LogImage::operation(1, 0, std::vector<std::byte>(100));
  body.resize(body.size() - 100);
  body[body.size() - 8] = std::byte{1};  // oh_len
  log.add(std::move(body));
  EXPECT_FALSE(log.recover());
}

TEST(XfsReplayTest, LogOfTheOtherByteOrderIsSaidToBe) {
  LogImage log;
  log.add(change(1, std::byte{7}), {.format = 2});
  const auto recovered = log.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().code, EOPNOTSUPP);
}

TEST(XfsReplayTest, UnknownFeaturesOfTheLogAreRefused) {
  LogImage log;
  log.add(change(1, std::byte{7}));
  log.g.log_incompat = 4;
  const auto recovered = log.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().code, EOPNOTSUPP);
}

TEST(XfsReplayTest, IntentIsOpenUntilItsEndIsMet) {
  LogImage log;
  const auto intent = [](xfs::LogItemType type, std::uint64_t id) {
    return bytes_of(xfs::IntentHead{
        .type = static_cast<std::uint16_t>(type), .size = std::uint16_t{1}, .nextents = 1U, .id = id});
  };
  log.add(LogImage::start(1) + LogImage::operation(1, 0, intent(xfs::LogItemType::bui, 5)) +
          LogImage::operation(1, 0, intent(xfs::LogItemType::bui, 6)) +
          LogImage::operation(1, 0, intent(xfs::LogItemType::efi, 6)) + LogImage::commit(1));
  log.add(LogImage::start(2) + LogImage::operation(2, 0, intent(xfs::LogItemType::bud, 5)) +
          LogImage::commit(2));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  ASSERT_EQ(recovered->unfinished.size(), 1U);
  EXPECT_EQ(from_bytes<xfs::IntentHead>(recovered->unfinished[0].regions[0]).id, 6U);
}

}  // namespace
}  // namespace vmfs::tests
