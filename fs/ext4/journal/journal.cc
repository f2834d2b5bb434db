// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/journal.h"

#include <algorithm>
#include <cerrno>

#include "fs/ext4/crc32c.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t min_journal_blocks = 1024;
constexpr std::uint32_t default_fast_blocks = 256;
/// The largest that mke2fs makes.
constexpr std::uint32_t max_journal_blocks = 10'240'000;

std::uint32_t superblock_checksum(JournalSuperblock superblock) {
  superblock.s_checksum = 0;
  return crc32c(~0U, std::as_bytes(std::span(&superblock, 1)));
}

Result<void> check_checksum(const JournalSuperblock& superblock) {
  if (superblock.s_checksum_type != checksum_crc32c)
    return fail(EUCLEAN, "ext4: journal superblock: s_checksum_type {}", superblock.s_checksum_type);
  const std::uint32_t computed = superblock_checksum(superblock);
  if (superblock.s_checksum == computed) return {};
  return fail(EBADMSG, "ext4: journal superblock: s_checksum {:#010x} should be {:#010x}",
              std::uint32_t{superblock.s_checksum}, computed);
}

}  // namespace

Result<Journal> Journal::open(const Source& volume, std::uint32_t block_size, JournalLocation location) {
  Journal journal(volume, block_size, std::move(location));
  const std::uint64_t block = TRY(journal.location_.locate(journal.location_.superblock_index()));
  const auto superblock = TRY(read_struct<JournalSuperblock>(*journal.volume_, block * block_size));
  TRY(journal.load(superblock));
  return journal;
}

Result<void> Journal::load(const JournalSuperblock& superblock) {
  const std::uint32_t version = superblock.s_header.h_blocktype;
  if (superblock.s_header.h_magic != journal_magic ||
      (version != journal_superblock_v1 && version != journal_superblock_v2))
    return fail(EUCLEAN, "ext4: journal superblock: h_magic {:#010x}, h_blocktype {}",
                std::uint32_t{superblock.s_header.h_magic}, version);
  if (superblock.s_blocksize != block_size_)
    return fail(EUCLEAN, "ext4: journal superblock: s_blocksize {} in a file system with blocks of {}",
                std::uint32_t{superblock.s_blocksize}, block_size_);
  length_ = superblock.s_maxlen;
  first_ = superblock.s_first;
  if (length_ > location_.blocks())
    return fail(EUCLEAN, "ext4: journal superblock: s_maxlen {}, but its file has {} blocks", length_,
                location_.blocks());
  if (length_ > max_journal_blocks)
    return fail(EFBIG, "ext4: journal superblock: s_maxlen {}: more than {} blocks are not supported",
                length_, max_journal_blocks);
  if (location_.device() && superblock.s_nr_users != 1)
    return fail(EOPNOTSUPP, "ext4: journal superblock: s_nr_users {}: a journal that is shared",
                std::uint32_t{superblock.s_nr_users});
  if (first_ == 0 || first_ >= length_)
    return fail(EUCLEAN, "ext4: journal superblock: s_first {} of {} blocks", first_, length_);
  start_ = superblock.s_start;
  sequence_ = superblock.s_sequence;
  error_ = superblock.s_errno != 0;
  end_ = length_;
  if (version == journal_superblock_v2) TRY(load_features(superblock));
  if (start_ != 0 && (start_ < first_ || start_ >= end_))
    return fail(EUCLEAN, "ext4: journal superblock: s_start {} is not between {} and {}", start_, first_,
                end_);
  return {};
}

Result<void> Journal::load_features(const JournalSuperblock& superblock) {
  incompat_ = superblock.s_feature_incompat;
  checksum_v1_ = (superblock.s_feature_compat & journal_checksum_v1) != 0;
  if ((incompat_ & ~std::uint32_t{journal_all_incompat}) != 0 || superblock.s_feature_ro_compat != 0)
    return fail(EOPNOTSUPP, "ext4: journal superblock: unknown features: incompat {:#x}, ro_compat {:#x}",
                incompat_, std::uint32_t{superblock.s_feature_ro_compat});
  if (has(journal_csum_v2) + has(journal_csum_v3) + checksum_v1_ > 1)
    return fail(EUCLEAN, "ext4: journal superblock: features of two kinds of checksums");
  if (has_block_checksums()) {
    TRY(check_checksum(superblock));
    checksum_seed_ = crc32c(~0U, std::span(superblock.s_uuid));
  }
  std::uint32_t fast_blocks = 0;
  if (has(journal_fast_commit))
    fast_blocks =
        superblock.s_num_fc_blks != 0 ? std::uint32_t{superblock.s_num_fc_blks} : default_fast_blocks;
  if (length_ < min_journal_blocks || length_ - min_journal_blocks < fast_blocks)
    return fail(EUCLEAN, "ext4: journal superblock: s_maxlen {} with {} blocks for fast commits", length_,
                fast_blocks);
  if (fast_blocks == 0) return {};
  // The block between the two areas belongs to neither.
  end_ = length_ - fast_blocks;
  fast_first_ = end_ + 1;
  fast_end_ = length_;
  if (first_ >= end_) return fail(EUCLEAN, "ext4: journal superblock: s_first {} of {} blocks", first_, end_);
  return {};
}

std::uint32_t Journal::after(std::uint32_t index, std::uint64_t count) const {
  const std::uint64_t moved = index + count;
  if (moved < end_) return static_cast<std::uint32_t>(moved);
  return static_cast<std::uint32_t>(first_ + (moved - first_) % (end_ - first_));
}

Result<std::uint64_t> Journal::offset_of(std::uint32_t index) const {
  if (index >= length_) return fail(EUCLEAN, "ext4: journal: block {} of {}", index, length_);
  return TRY(location_.locate(index)) * block_size_;
}

Result<void> Journal::read_block(std::uint32_t index, std::span<std::byte> into) const {
  const std::uint64_t offset = TRY(offset_of(index));
  return read(*volume_, offset, into.first(block_size_));
}

std::size_t Journal::tag_size() const {
  if (has(journal_csum_v3)) return sizeof(JournalTag);
  constexpr std::size_t without_high = 8;
  return without_high + (has(journal_csum_v2) ? 2 : 0) + (has(journal_64bit) ? 4 : 0);
}

}  // namespace vmfs::ext4
