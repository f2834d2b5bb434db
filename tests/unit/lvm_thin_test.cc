// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/lvm/format.h"
#include "formats/lvm/thin_format.h"
#include "formats/lvm/thin_pool.h"
#include "tests/unit/disk_image.h"

namespace vmfs::lvm {
namespace {

using testing::DiskImage;
using ::testing::HasSubstr;

constexpr std::uint64_t pool_block = 65536;
constexpr std::uint64_t data_blocks = 16;

struct Entry {
  std::uint64_t key = 0;
  std::uint64_t value = 0;
};

/// The metadata of a pool, block by block.
class PoolImage {
 public:
  PoolImage() : image_(16 * thin_block_size) { super(); }

  PoolImage& super(void (*change)(ThinSuperblock&) = [](ThinSuperblock&) {}) {
    ThinSuperblock super{};
    super.magic = thin_magic;
    super.version = 2;
    super.data_mapping_root = 1;
    super.device_details_root = 2;
    super.data_block_size = 128;
    change(super);
    image_.put(0, super);
    return seal(0, thin_superblock_salt);
  }

  PoolImage& node(
      std::uint64_t block, std::uint32_t flags, const std::vector<Entry>& entries,
      std::uint32_t value_size = 8, void (*change)(BtreeHeader&) = [](BtreeHeader&) {}) {
    const std::uint64_t at = block * thin_block_size;
    const std::uint64_t room = (thin_block_size - sizeof(BtreeHeader)) / (8 + value_size) / 3 * 3;
    BtreeHeader header{};
    header.flags = flags;
    header.blocknr = block;
    header.nr_entries = static_cast<std::uint32_t>(entries.size());
    header.max_entries = static_cast<std::uint32_t>(room);
    header.value_size = value_size;
    change(header);
    image_.put(at, header);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      image_.put(at + sizeof header + i * 8, le64{entries[i].key});
      image_.put(at + sizeof header + room * 8 + i * value_size, le64{entries[i].value});
    }
    return seal(block, btree_salt);
  }

  /// A device 1 whose tree is the block `root`.
  PoolImage& device(std::uint64_t root) {
    return node(1, btree_leaf, {{1, root}}).node(2, btree_leaf, {{1, 0}}, 24);
  }

  PoolImage& damage(std::uint64_t offset) {
    image_.damage(offset);
    return *this;
  }

  [[nodiscard]] std::shared_ptr<const Source> source() const { return image_.source(); }

 private:
  PoolImage& seal(std::uint64_t block, std::uint32_t salt) {
    const std::uint64_t at = block * thin_block_size;
    image_.put(at, le32{thin_checksum(image_.part(at, thin_block_size), salt)});
    return *this;
  }

  DiskImage image_;
};

/// The value of a mapping to a data block.
constexpr std::uint64_t to(std::uint64_t block) {
  return block << 24 | 5;
}

/// Data whose blocks are letters.
std::shared_ptr<const Source> letters(char first, std::size_t blocks) {
  std::vector<std::byte> bytes(blocks * pool_block);
  for (std::size_t i = 0; i < blocks; ++i)
    bytes[i * pool_block] = static_cast<std::byte>(first + static_cast<char>(i));
  return std::make_shared<MemorySource>(std::move(bytes));
}

Result<std::shared_ptr<const Source>> open_device(const PoolImage& image, std::uint64_t blocks,
                                                  std::shared_ptr<const Source> origin = nullptr) {
  const auto pool =
      TRY(ThinPool::open(image.source(), letters('a', data_blocks), pool_block, [](const std::string&) {}));
  return pool->device(1, blocks * pool_block, std::move(origin));
}

/// The first letter of each block of device 1 ('.' for zero), or why it cannot be read.
std::string blocks_of(const PoolImage& image, std::uint64_t blocks,
                      std::shared_ptr<const Source> origin = nullptr) {
  const auto device = open_device(image, blocks, std::move(origin));
  if (!device) return device.error().what;
  std::string out;
  for (std::uint64_t offset = 0; offset < (*device)->size(); offset += pool_block) {
    std::array<std::byte, 1> byte{};
    const auto done = read(**device, offset, byte);
    if (!done) return done.error().what;
    out += byte[0] == std::byte{0} ? '.' : static_cast<char>(byte[0]);
  }
  return out;
}

TEST(ThinPoolTest, MappedBlocksAndGaps) {
  const auto image = PoolImage().device(3).node(3, btree_leaf, {{1, to(4)}, {2, to(5)}, {5, to(0)}});
  EXPECT_EQ(blocks_of(image, 8), ".ef..a..");
}

TEST(ThinPoolTest, TreesOfTwoLevels) {
  const auto image = PoolImage()
                         .device(3)
                         .node(3, btree_internal, {{2, 4}, {5, 5}})
                         .node(4, btree_leaf, {{2, to(1)}, {3, to(2)}})
                         .node(5, btree_leaf, {{5, to(7)}});
  EXPECT_EQ(blocks_of(image, 7), "..bc.h.");
}

TEST(ThinPoolTest, RunsAreMergedWithinALeaf) {
  const auto image =
      PoolImage().device(3).node(3, btree_leaf, {{0, to(4)}, {1, to(5)}, {2, to(6)}, {3, to(9)}});
  const auto device = open_device(image, 8);
  ASSERT_TRUE(device) << device.error().what;
  EXPECT_EQ((*device)->map(100, 1U << 30)->length, 3 * pool_block - 100);
  EXPECT_EQ((*device)->map(4 * pool_block, 1U << 30)->length, 4 * pool_block);
  EXPECT_EQ((*device)->map(4 * pool_block, 1U << 30)->kind, Extent::Kind::zero);
}

TEST(ThinPoolTest, AGapEndsWhereTheNextLeafStarts) {
  const auto image = PoolImage()
                         .device(3)
                         .node(3, btree_internal, {{0, 4}, {5, 5}})
                         .node(4, btree_leaf, {{0, to(1)}})
                         .node(5, btree_leaf, {{5, to(7)}});
  const auto device = open_device(image, 8);
  ASSERT_TRUE(device) << device.error().what;
  EXPECT_EQ((*device)->map(pool_block, 1U << 30)->length, 4 * pool_block);
}

TEST(ThinPoolTest, AnEmptyTreeIsZeros) {
  EXPECT_EQ(blocks_of(PoolImage().device(3).node(3, btree_leaf, {}), 3), "...");
}

TEST(ThinPoolTest, KeysAsLargeAsCanBe) {
  const auto image = PoolImage().device(3).node(3, btree_leaf, {{1, to(1)}, {~std::uint64_t{0}, to(2)}});
  EXPECT_EQ(blocks_of(image, 3), ".b.");
}

TEST(ThinPoolTest, AnExternalOriginShowsInGapsAsFarAsItGoes) {
  const auto image = PoolImage().device(3).node(3, btree_leaf, {{1, to(4)}});
  EXPECT_EQ(blocks_of(image, 5, letters('A', 3)), "AeC..");
}

TEST(ThinPoolTest, DevicesThatAreNot) {
  const auto image = PoolImage().node(1, btree_leaf, {{2, 3}}).node(2, btree_leaf, {{2, 0}}, 24);
  EXPECT_THAT(blocks_of(image, 1), HasSubstr("has no device 1"));
}

TEST(ThinPoolTest, SuperblocksThatCannotBeRead) {
  EXPECT_THAT(blocks_of(PoolImage().damage(100), 1), HasSubstr("checksum of the superblock"));
  const auto with = [](void (*change)(ThinSuperblock&)) { return blocks_of(PoolImage().super(change), 1); };
  EXPECT_THAT(with([](ThinSuperblock& super) { super.magic = 1; }), HasSubstr("no magic number"));
  EXPECT_THAT(with([](ThinSuperblock& super) { super.version = 3; }), HasSubstr("version 3"));
  EXPECT_THAT(with([](ThinSuperblock& super) { super.incompat_flags = 4; }), HasSubstr("features 0x4"));
  EXPECT_THAT(with([](ThinSuperblock& super) { super.data_block_size = 0; }),
              HasSubstr("blocks of 0 sectors"));
  EXPECT_THAT(with([](ThinSuperblock& super) { super.data_block_size = 256; }),
              HasSubstr("blocks of 256 sectors"));
}

TEST(ThinPoolTest, NodesThatCannotBe) {
  const auto with = [](
                        std::uint32_t flags, const std::vector<Entry>& entries,
                        void (*change)(BtreeHeader&) = [](BtreeHeader&) {}) {
    return blocks_of(PoolImage().device(3).node(3, flags, entries, 8, change), 2);
  };
  EXPECT_THAT(with(3, {}), HasSubstr("flags 0x3"));
  EXPECT_THAT(with(btree_leaf, {{2, to(1)}, {1, to(1)}}), HasSubstr("keys are not in order"));
  EXPECT_THAT(with(btree_leaf, {{1, to(1)}, {1, to(1)}}), HasSubstr("keys are not in order"));
  EXPECT_THAT(with(btree_leaf, {{0, to(16)}}), HasSubstr("lies in block 16 of data, which has 16"));
  EXPECT_THAT(with(btree_leaf, {}, [](BtreeHeader& header) { header.nr_entries = header.max_entries + 1; }),
              HasSubstr("253 of 252 entries"));
  EXPECT_THAT(with(btree_leaf, {}, [](BtreeHeader& header) { header.max_entries = 255; }),
              HasSubstr("of 255 entries"));
  EXPECT_THAT(with(btree_leaf, {}, [](BtreeHeader& header) { header.value_size = 4; }),
              HasSubstr("of 4 bytes"));
  EXPECT_THAT(with(btree_leaf, {}, [](BtreeHeader& header) { header.blocknr = 4; }),
              HasSubstr("number is wrong"));
  EXPECT_THAT(with(btree_internal, {{0, 0}}), HasSubstr("block 0 of metadata"));
  EXPECT_THAT(with(btree_internal, {{0, 16}}), HasSubstr("block 16 of metadata, which has 16"));
}

TEST(ThinPoolTest, ATreeThatLeadsIntoItself) {
  EXPECT_THAT(blocks_of(PoolImage().device(3).node(3, btree_internal, {{0, 3}}), 1),
              HasSubstr("deeper than 16"));
}

TEST(ThinPoolTest, DataBlocksAsLargeAsCanBe) {
  EXPECT_THAT(blocks_of(PoolImage().device(3).node(3, btree_leaf, {{0, ~std::uint64_t{0}}}), 1),
              HasSubstr("lies in block"));
}

}  // namespace
}  // namespace vmfs::lvm
