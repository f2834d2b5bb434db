// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/endian.h"
#include "tests/unit/ext4_image.h"

namespace vmfs::test {
namespace {

constexpr std::size_t block_size = 4096;
constexpr int name_count = 200'000;

std::string entry_name(int number) {
  return fmt::format("name-{:06}", number);
}

struct Hashed {
  std::uint32_t hash;
  int number;
};

/// The bytes of a directory of 200,000 names with an index of two levels, as the kernel would write it
/// without checksums. Every entry names `inode`.
class DirectoryWriter {
 public:
  DirectoryWriter(std::uint32_t inode, std::uint32_t self, const std::uint32_t* seed) : inode_(inode) {
    for (int i = 0; i < name_count; ++i) {
      const std::string name = entry_name(i);
      Hashed hashed{.hash = 0, .number = i};
      ext2_dirhash_t minor = 0;
      ext2fs_dirhash2(EXT2_HASH_HALF_MD4, name.data(), static_cast<int>(name.size()), nullptr, 0, seed,
                      &hashed.hash, &minor);
      names_.push_back(hashed);
    }
    std::ranges::sort(names_, {}, &Hashed::hash);
    write(self);
  }

  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  static constexpr std::size_t per_leaf = 150;
  static constexpr std::size_t per_node = 400;

  void write(std::uint32_t self) {
    const std::size_t leaves = (names_.size() + per_leaf - 1) / per_leaf;
    const std::size_t nodes = (leaves + per_node - 1) / per_node;
    bytes_.resize((1 + nodes + leaves) * block_size);
    put_entry(0, self, 12, ".");
    put_entry(12, 2, block_size - 12, "..");
    put(24 + 4, std::uint8_t{EXT2_HASH_HALF_MD4});
    put(24 + 5, std::uint8_t{8});
    put(24 + 6, std::uint8_t{1});
    put_counts(32, nodes);
    for (std::size_t node = 0; node < nodes; ++node) {
      const std::size_t first = node * per_node;
      put_index(32, node, first_hash(first), 1 + node);
      write_node(1 + node, first, std::min(leaves - first, per_node), 1 + nodes);
    }
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) write_leaf(1 + nodes + leaf, leaf);
  }

  void write_node(std::size_t block, std::size_t first_leaf, std::size_t count, std::size_t leaf_block) {
    put_entry(block * block_size, 0, block_size, "");
    put_counts(block * block_size + 8, count);
    for (std::size_t i = 0; i < count; ++i)
      put_index(block * block_size + 8, i, first_hash(first_leaf + i), leaf_block + first_leaf + i);
  }

  /// What the index says of a leaf. Odd where names of that hash began in the leaf before.
  [[nodiscard]] std::uint32_t first_hash(std::size_t leaf) const {
    const std::size_t first = leaf * per_leaf;
    const std::uint32_t hash = names_[first].hash;
    return first > 0 && names_[first - 1].hash == hash ? hash | 1 : hash;
  }

  void write_leaf(std::size_t block, std::size_t leaf) {
    const std::size_t last = std::min(names_.size(), (leaf + 1) * per_leaf);
    std::size_t offset = block * block_size;
    for (std::size_t i = leaf * per_leaf; i < last; ++i) {
      const std::size_t length = i + 1 == last ? (block + 1) * block_size - offset : 20;
      put_entry(offset, inode_, length, entry_name(names_[i].number));
      offset += length;
    }
  }

  /// The first entry of an index holds limit and count where others have their hash.
  void put_counts(std::size_t offset, std::size_t count) {
    const std::size_t limit = (block_size - offset % block_size) / 8;
    put(offset, le16{static_cast<std::uint16_t>(limit)});
    put(offset + 2, le16{static_cast<std::uint16_t>(count)});
  }

  void put_index(std::size_t offset, std::size_t index, std::uint32_t hash, std::size_t block) {
    if (index > 0) put(offset + index * 8, le32{hash});
    put(offset + index * 8 + 4, le32{static_cast<std::uint32_t>(block)});
  }

  void put_entry(std::size_t offset, std::uint32_t inode, std::size_t length, const std::string& name) {
    put(offset, le32{inode});
    put(offset + 4, le16{static_cast<std::uint16_t>(length)});
    put(offset + 6, static_cast<std::uint8_t>(name.size()));
    std::memcpy(bytes_.data() + offset + 8, name.data(), name.size());
  }

  template <class T>
  void put(std::size_t offset, const T& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }

  std::uint32_t inode_;
  std::vector<Hashed> names_;
  std::vector<std::byte> bytes_;
};

/// A file system whose folder `many` has 200,000 names: a file of mke2fs made a directory.
class Ext4IndexTest : public testing::Test {
 protected:
  Ext4IndexTest()
      : image_("-t ext4 -b 4096 -I 256 -O ^metadata_csum,^has_journal,^uninit_bg", "16M",
               [](const auto& folder) {
                 std::ofstream(folder / "many") << std::string(1339 * block_size, 'm');
                 std::ofstream(folder / "target") << "";
               }) {
    const auto plain = image_.open().value();
    many_ = resolve(*plain, "many");
    target_ = resolve(*plain, "target");
    std::uint32_t seed[4];
    std::memcpy(seed, image_.bytes().data() + 1024 + 0xec, sizeof seed);
    const DirectoryWriter writer(static_cast<std::uint32_t>(target_), static_cast<std::uint32_t>(many_),
                                 seed);
    const auto file = plain->open(many_).value();
    image_.debugfs("set_inode_field many mode 040755\nset_inode_field many flags 0x81000");
    image_.reload();
    overwrite(*file, writer.bytes());
    counting_ = std::make_shared<CountingSource>(image_.source());
    filesystem_ = open_filesystem(counting_, {}).value();
  }

  /// Puts `contents` where the image has the bytes of `file`.
  void overwrite(const Source& file, std::span<const std::byte> contents) {
    EXPECT_EQ(contents.size(), file.size());
    for (std::uint64_t offset = 0; offset < file.size();) {
      const Extent extent = file.map(offset, UINT64_MAX).value();
      const auto part = contents.subspan(offset, extent.length);
      std::ranges::copy(part, image_.bytes().begin() + static_cast<std::ptrdiff_t>(extent.offset));
      offset += extent.length;
    }
  }

  Ext4Image image_;
  Inode many_{};
  Inode target_{};
  std::shared_ptr<CountingSource> counting_;
  std::shared_ptr<const Filesystem> filesystem_;
};

TEST_F(Ext4IndexTest, ANameAmong200000IsFoundInAFewReads) {
  counting_->reads = 0;
  EXPECT_EQ(*filesystem_->lookup(many_, entry_name(123456)), target_);
  EXPECT_LE(counting_->reads, 5);
}

TEST_F(Ext4IndexTest, AnAbsentNameIsKnownInAFewReads) {
  counting_->reads = 0;
  EXPECT_EQ(code_of(filesystem_->lookup(many_, "name-of-no-file")), ENOENT);
  EXPECT_LE(counting_->reads, 5);
}

TEST_F(Ext4IndexTest, EveryNameIsFound) {
  int lost = 0;
  int seen = 0;
  const auto done = filesystem_->list(many_, 0, [&](const DirectoryEntry& entry) {
    // Every name of some leaves and some of every leaf.
    if (++seen % 16 == 0 || seen < 2000) lost += filesystem_->lookup(many_, entry.name) ? 0 : 1;
    return true;
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, name_count + 2);
  EXPECT_EQ(lost, 0);
}

TEST_F(Ext4IndexTest, AListingReadsInLongRuns) {
  counting_->reads = 0;
  EXPECT_TRUE(filesystem_->list(many_, 0, [](const auto&) { return true; }));
  EXPECT_LE(counting_->reads, 100);
}

}  // namespace
}  // namespace vmfs::test
