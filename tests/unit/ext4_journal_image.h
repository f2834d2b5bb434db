// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fs/ext4/crc32c.h"
#include "fs/ext4/journal/checksum.h"
#include "fs/ext4/journal/format.h"
#include "tests/unit/ext4_image.h"

namespace vmfs::test {

/// Writes transactions by hand into the journal of a file system with blocks of 1 KiB, without a superblock
/// checksum, and marks it as one that needs recovery.
class JournalWriter {
 public:
  static constexpr std::size_t block_size = 1024;

  JournalWriter(Ext4Image& image, std::uint32_t compat, std::uint32_t incompat, std::uint32_t start = 1)
      : image_(image), compat_(compat), incompat_(incompat), next_(start), blocks_(blocks_of("<8>")) {
    const auto old = from_bytes<ext4::JournalSuperblock>(block(0));
    superblock.s_header = {ext4::journal_magic, ext4::journal_superblock_v2, 0U};
    superblock.s_blocksize = static_cast<std::uint32_t>(block_size);
    superblock.s_maxlen = old.s_maxlen;
    superblock.s_first = 1U;
    superblock.s_sequence = sequence;
    superblock.s_start = start;
    superblock.s_feature_compat = compat;
    superblock.s_feature_incompat = incompat;
    superblock.s_uuid.fill(std::byte{7});
    if (has_block_checksums()) superblock.s_checksum_type = 4;
    seed_ = crc32c(~0U, std::span(superblock.s_uuid));
    write_superblock();
    constexpr std::size_t s_feature_incompat = 1024 + 0x60;
    image.bytes()[s_feature_incompat] |= std::byte{4};
  }

  /// Blocks of a file in order, by debugfs.
  std::vector<std::uint64_t> blocks_of(const std::string& file) {
    std::istringstream words(
        image_.output_of(fmt::format("debugfs -R 'blocks {}' image 2>/dev/null | cat", file)));
    std::vector<std::uint64_t> found;
    for (std::uint64_t number = 0; words >> number;) found.push_back(number);
    return found;
  }

  void write_superblock() {
    superblock.s_checksum = 0U;
    if (has_block_checksums()) superblock.s_checksum = crc32c(~0U, std::as_bytes(std::span(&superblock, 1)));
    std::memcpy(block(0).data(), &superblock, sizeof superblock);
  }

  /// Logs new contents of one block; one that begins with the magic number is escaped.
  void log(std::uint64_t target, std::string text) {
    text.resize(block_size);
    const be32 magic = ext4::journal_magic;
    const bool escaped = std::memcmp(text.data(), &magic, sizeof magic) == 0;
    if (escaped) std::memset(text.data(), 0, sizeof magic);
    const be32 number = sequence;
    std::uint32_t checksum = crc32c(seed_, std::as_bytes(std::span(&number, 1)));
    checksum = crc32c(checksum, std::as_bytes(std::span(text)));

    const auto descriptor = take(ext4::journal_descriptor);
    ext4::JournalTag tag{};
    tag.t_blocknr = static_cast<std::uint32_t>(target);
    tag.t_blocknr_high = static_cast<std::uint32_t>(target >> 32);
    tag.t_flags = static_cast<std::uint16_t>(ext4::tag_last | (escaped ? ext4::tag_escaped : 0));
    if ((incompat_ & ext4::journal_csum_v2) != 0) tag.t_checksum = static_cast<std::uint16_t>(checksum);
    if ((incompat_ & ext4::journal_csum_v3) != 0) tag.t_checksum_v3 = checksum;
    const std::size_t size = (incompat_ & ext4::journal_csum_v3) != 0 ? 16
                             : (incompat_ & ext4::journal_64bit) != 0 ? 12
                                                                      : 8;
    std::memcpy(descriptor.data() + sizeof(ext4::JournalHeader), &tag, size);
    seal(descriptor);
    crc_ = ext4::crc32_be(crc_, descriptor);
    const auto copy = block(next_);
    advance();
    std::memcpy(copy.data(), text.data(), block_size);
    crc_ = ext4::crc32_be(crc_, copy);
  }

  void revoke(std::uint64_t target) {
    const auto bytes = take(ext4::journal_revoke);
    const bool wide = (incompat_ & ext4::journal_64bit) != 0;
    const be32 used = wide ? 24U : 20U;
    std::memcpy(bytes.data() + sizeof(ext4::JournalHeader), &used, sizeof used);
    const be64 number = target;
    const std::size_t width = wide ? 8 : 4;
    std::memcpy(bytes.data() + 16, std::as_bytes(std::span(&number, 1)).last(width).data(), width);
    seal(bytes);
  }

  void commit(std::uint64_t seconds = 1000) {
    const auto bytes = take(ext4::journal_commit);
    auto header = from_bytes<ext4::CommitBlock>(bytes);
    header.h_commit_sec = seconds;
    if ((compat_ & ext4::journal_checksum_v1) != 0) {
      header.h_chksum_type = 1;
      header.h_chksum_size = 4;
      header.h_chksum[0] = crc_;
    }
    std::memcpy(bytes.data(), &header, sizeof header);
    if (has_block_checksums()) header.h_chksum[0] = crc32c(seed_, bytes);
    std::memcpy(bytes.data(), &header, sizeof header);
    crc_ = ~0U;
    ++sequence;
  }

  /// The bytes of a block of the journal.
  std::span<std::byte> block(std::uint32_t index) {
    return std::span(image_.bytes()).subspan(blocks_.at(index) * block_size, block_size);
  }

  /// Where the next block goes.
  [[nodiscard]] std::uint32_t next() const { return next_; }
  [[nodiscard]] std::uint64_t place(std::uint32_t index) const { return blocks_.at(index) * block_size; }

  std::uint32_t sequence = 5;
  ext4::JournalSuperblock superblock{};

 private:
  [[nodiscard]] bool has_block_checksums() const {
    return (incompat_ & (ext4::journal_csum_v2 | ext4::journal_csum_v3)) != 0;
  }

  void advance() { next_ = next_ + 1 == superblock.s_maxlen ? 1 : next_ + 1; }

  std::span<std::byte> take(ext4::JournalBlockType type) {
    const auto bytes = block(next_);
    advance();
    std::ranges::fill(bytes, std::byte{});
    const ext4::JournalHeader header{ext4::journal_magic, static_cast<std::uint32_t>(type), sequence};
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

  void seal(std::span<std::byte> bytes) const {
    if (!has_block_checksums()) return;
    const be32 checksum = crc32c(seed_, bytes);
    std::memcpy(bytes.data() + block_size - sizeof checksum, &checksum, sizeof checksum);
  }

  Ext4Image& image_;
  const std::uint32_t compat_;
  const std::uint32_t incompat_;
  std::uint32_t next_;
  const std::vector<std::uint64_t> blocks_;
  std::uint32_t seed_ = 0;
  std::uint32_t crc_ = ~0U;
};

}  // namespace vmfs::test
