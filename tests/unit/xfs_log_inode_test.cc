// SPDX-License-Identifier: MIT
// Items of inodes, of version 2 and 3, and items that change nothing a reader sees.
#include <cerrno>
#include <cstddef>

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "fs/xfs/checksum.h"
#include "tests/unit/xfs_log_image.h"

namespace vmfs::tests {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t sector = 800;
constexpr std::uint64_t offset = sector * 512 + 512;  // the second inode of the buffer
constexpr std::uint64_t number = sector + 1;

// An inode on the disk: a regular file of 10 bytes.
xfs::Dinode on_disk(bool v5) {
  xfs::Dinode inode{};
  inode.di_magic = std::uint16_t{xfs::dinode_magic};
  inode.di_mode = std::uint16_t{S_IFREG | 0600};
  inode.di_version = v5 ? 3 : 2;
  inode.di_size = std::uint64_t{10};
  inode.di_gen = 5U;
  inode.di_ino = number;
  return inode;
}

xfs::LogDinode logged(bool v5) {
  xfs::LogDinode inode{};
  inode.di_magic = std::uint16_t{xfs::dinode_magic};
  inode.di_mode = std::uint16_t{S_IFCHR | 0640};
  inode.di_version = v5 ? 3 : 2;
  inode.di_nlink = 3U;
  inode.di_size = std::uint64_t{4711};
  // Seconds are the first word, nanoseconds the second.
  inode.di_mtime = 0x0000'0002'0000'0001ULL;
  inode.di_ino = number;
  return inode;
}

std::vector<std::byte> item(std::uint32_t id, const xfs::LogDinode& core, bool v5) {
  const xfs::InodeLogFormat head{.ilf_type = static_cast<std::uint16_t>(xfs::LogItemType::inode),
                                 .ilf_size = std::uint16_t{2},
                                 .ilf_fields = 1U | xfs::ilog::dev,
                                 .ilf_asize = std::uint16_t{0},
                                 .ilf_dsize = std::uint16_t{0},
                                 .ilf_pad = 0U,
                                 .ilf_ino = number,
                                 .ilfu_rdev = 0x103U,
                                 .ilfu_pad = {},
                                 .ilf_blkno = sector,
                                 .ilf_len = 16U,
                                 .ilf_boffset = 512U};
  auto bytes = bytes_of(core);
  if (!v5) bytes.resize(xfs::log_dinode_v2_size);
  return LogImage::start(id) + LogImage::operation(id, 0, bytes_of(head)) +
         LogImage::operation(id, 0, bytes) + LogImage::commit(id);
}

xfs::Dinode replayed(const LogImage& log) {
  const auto recovered = log.recover();
  EXPECT_TRUE(recovered) << recovered.error().what;
  return recovered ? *read_struct<xfs::Dinode>(*recovered->volume, offset) : xfs::Dinode{};
}

TEST(XfsInodeItemTest, CoreAndDeviceAreThoseOfTheLog) {
  LogImage log;
  log.disk->put(offset, on_disk(true));
  log.add(item(1, logged(true), true));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  std::vector<std::byte> inode(512);
  ASSERT_TRUE(read(*recovered->volume, offset, inode));
  const auto core = from_bytes<xfs::Dinode>(inode);
  EXPECT_EQ(core.di_mode, S_IFCHR | 0640);
  EXPECT_EQ(core.di_size, 4711U);
  EXPECT_EQ(core.di_mtime, 0x0000'0001'0000'0002ULL);
  EXPECT_EQ(core.di_lsn, lsn_at(1, 0));
  EXPECT_EQ(from_bytes<be32>(std::span<const std::byte>(inode).subspan(sizeof core)), 0x103U);
  EXPECT_EQ(core.di_crc, xfs::checksum(inode, offsetof(xfs::Dinode, di_crc)));
}

TEST(XfsInodeItemTest, InodeThatIsNewerThanTheTransactionIsLeftAlone) {
  LogImage log;
  auto newer = on_disk(true);
  newer.di_lsn = lsn_at(1, 500);
  log.disk->put(offset, newer);
  log.add(item(1, logged(true), true));
  EXPECT_EQ(replayed(log).di_size, 10U);
}

// XFS version 4: no LSN in the inode, but a count of its writes.
class XfsOldInodeItemTest : public testing::Test {
 protected:
  XfsOldInodeItemTest() { log.g.v5 = false; }

  void put(std::uint16_t writes) const {
    log.disk->put(offset, on_disk(false));
    log.disk->put(offset + 30, be16{writes});
  }
  void add(std::uint16_t writes) {
    auto core = logged(false);
    core.di_big_nextents = std::uint64_t{writes} << 48;
    log.add(item(1, core, false));
  }

  LogImage log;
};

TEST_F(XfsOldInodeItemTest, CoreIsThatOfTheLog) {
  put(3);
  add(4);
  const xfs::Dinode core = replayed(log);
  EXPECT_EQ(core.di_mode, S_IFCHR | 0640);
  EXPECT_EQ(core.di_size, 4711U);
  EXPECT_EQ(core.di_nlink, 3U);
}

TEST_F(XfsOldInodeItemTest, InodeWrittenMoreOftenIsNewer) {
  put(5);
  add(4);
  EXPECT_EQ(replayed(log).di_size, 10U);
}

TEST_F(XfsOldInodeItemTest, CountOfWritesStartsAgain) {
  put(0xffff);
  add(4);
  EXPECT_EQ(replayed(log).di_size, 4711U);
}

TEST_F(XfsOldInodeItemTest, LogOfVersionOneIsRead) {
  log.g.log_v2 = false;
  log.version = 1;
  put(3);
  add(4);
  EXPECT_EQ(replayed(log).di_size, 4711U);
}

TEST_F(XfsOldInodeItemTest, CoreOfTheOtherVersionIsAnError) {
  put(3);
  log.add(item(1, logged(true), true));
  const auto recovered = log.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().code, EUCLEAN);
  EXPECT_THAT(recovered.error().what, HasSubstr("inode 801"));
}

TEST(XfsSilentItemsTest, QuotasFreedSpaceAndReferenceCountsChangeNothing) {
  LogImage log;
  auto body = LogImage::start(1);
  for (const auto type : {xfs::LogItemType::dquot, xfs::LogItemType::quotaoff, xfs::LogItemType::efi,
                          xfs::LogItemType::rui, xfs::LogItemType::cui, xfs::LogItemType::efi_rt}) {
    const xfs::LogItemHead head{.type = static_cast<std::uint16_t>(type), .size = std::uint16_t{1}};
    body = body + LogImage::operation(1, 0, bytes_of(head) + std::vector<std::byte>(28));
  }
  log.add(body + buffer_item(1, sector, 0, 1, std::byte{7}) + LogImage::commit(1));
  const auto recovered = log.recover();
  ASSERT_TRUE(recovered) << recovered.error().what;
  EXPECT_EQ(recovered->transactions, 1U);
  EXPECT_TRUE(recovered->unfinished.empty());
  EXPECT_EQ(*read_struct<std::byte>(*recovered->volume, sector * 512 + 128), std::byte{7});
}

}  // namespace
}  // namespace vmfs::tests
