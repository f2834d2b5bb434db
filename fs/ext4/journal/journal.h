// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "formats/source.h"
#include "fs/ext4/journal/format.h"
#include "fs/ext4/journal/location.h"

namespace vmfs::ext4 {

/// Whether transaction `a` is `b` or a later one. Their numbers wrap around.
[[nodiscard]] constexpr bool is_at_or_after(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) >= 0;
}

/// A journal whose superblock was checked. Reads its blocks; immutable, for one thread at a time.
class Journal {
 public:
  /// Reads and checks the journal's superblock as the kernel does. `volume` must outlive the journal.
  /// Errors: EUCLEAN, EBADMSG (checksum), EOPNOTSUPP (a feature, by number), EFBIG, EIO.
  [[nodiscard]] static Result<Journal> open(const Source& volume, std::uint32_t block_size,
                                            JournalLocation location);

  [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
  [[nodiscard]] bool empty() const { return start_ == 0; }
  [[nodiscard]] std::uint32_t start() const { return start_; }
  [[nodiscard]] std::uint32_t sequence() const { return sequence_; }
  [[nodiscard]] bool has_error() const { return error_; }
  [[nodiscard]] bool has(JournalIncompat feature) const { return (incompat_ & feature) != 0; }
  /// Checksums of whole transactions.
  [[nodiscard]] bool has_checksum_v1() const { return checksum_v1_; }
  /// Checksums of single blocks.
  [[nodiscard]] bool has_block_checksums() const { return has(journal_csum_v2) || has(journal_csum_v3); }
  [[nodiscard]] std::uint32_t checksum_seed() const { return checksum_seed_; }

  /// The log proper: blocks [first(), end()), used as a ring.
  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] std::uint32_t end() const { return end_; }
  /// The block `count` behind `index` in the ring. REQUIRES: index < end(), count <= UINT32_MAX.
  [[nodiscard]] std::uint32_t after(std::uint32_t index, std::uint64_t count) const;

  /// The area of fast commits: blocks [fast_first(), fast_end()), empty without the feature.
  [[nodiscard]] std::uint32_t fast_first() const { return fast_first_; }
  [[nodiscard]] std::uint32_t fast_end() const { return fast_end_; }

  /// Fills one block. Errors: EUCLEAN (not in the journal, or it lies nowhere), EIO.
  [[nodiscard]] Result<void> read_block(std::uint32_t index, std::span<std::byte> into) const;

  /// Where a block lies on the volume, or on the journal's own device, in bytes. Errors: EUCLEAN.
  [[nodiscard]] Result<std::uint64_t> offset_of(std::uint32_t index) const;

  /// Bytes of a tag in a descriptor block, without the uuid that may follow it.
  [[nodiscard]] std::size_t tag_size() const;
  /// Where in a block the tags or records end.
  [[nodiscard]] std::size_t payload_end() const {
    return block_size_ - (has_block_checksums() ? journal_tail_size : 0);
  }

  [[nodiscard]] const JournalLocation& location() const { return location_; }

 private:
  Journal(const Source& volume, std::uint32_t block_size, JournalLocation location)
      : volume_(location.device() ? location.device().get() : &volume),
        block_size_(block_size),
        location_(std::move(location)) {}

  [[nodiscard]] Result<void> load(const JournalSuperblock& superblock);
  [[nodiscard]] Result<void> load_features(const JournalSuperblock& superblock);

  const Source* volume_;
  std::uint32_t block_size_;
  JournalLocation location_;
  std::uint32_t length_ = 0;  ///< blocks
  std::uint32_t first_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t fast_first_ = 0;
  std::uint32_t fast_end_ = 0;
  std::uint32_t start_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t incompat_ = 0;
  std::uint32_t checksum_seed_ = 0;
  bool checksum_v1_ = false;
  bool error_ = false;
};

}  // namespace vmfs::ext4
