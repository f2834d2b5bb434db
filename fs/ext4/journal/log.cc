// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/log.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "fs/ext4/journal/checksum.h"
#include "fs/ext4/journal/tags.h"

namespace vmfs::ext4 {
namespace {

/// Goes through the log block by block, once around at most.
class Cursor {
 public:
  explicit Cursor(const Journal& journal)
      : journal_(journal), bytes_(journal.block_size()), next_(journal.start()) {}

  /// Reads the next block if it is one of transaction `sequence`; nothing where the log ends.
  Result<std::optional<LogBlock>> next(std::uint32_t sequence) {
    const std::uint32_t index = next_;
    TRY(journal_.read_block(index, bytes_));
    const auto header = from_bytes<JournalHeader>(bytes_);
    if (header.h_magic != journal_magic || header.h_sequence != sequence) return std::nullopt;
    TRY(skip(1));
    return LogBlock{.type = static_cast<JournalBlockType>(std::uint32_t{header.h_blocktype}),
                    .sequence = sequence,
                    .index = index,
                    .bytes = bytes_};
  }

  /// Passes by `count` blocks. Errors: EUCLEAN (the log was passed as a whole).
  Result<void> skip(std::uint32_t count) {
    next_ = journal_.after(next_, count);
    passed_ += count;
    if (passed_ <= journal_.end() - journal_.first()) return {};
    return fail(EUCLEAN, "ext4: journal: the log from block {} on has no end", journal_.start());
  }

  [[nodiscard]] std::uint32_t position() const { return next_; }

 private:
  const Journal& journal_;
  std::vector<std::byte> bytes_;
  std::uint32_t next_;
  std::uint64_t passed_ = 0;
};

class Scan {
 public:
  explicit Scan(const Journal& journal)
      : journal_(journal), cursor_(journal), expected_(journal.sequence()), logged_(journal.block_size()) {}

  Result<std::uint32_t> run() {
    bool more = true;
    while (more) {
      const auto block = TRY(cursor_.next(expected_));
      if (!block) break;
      more = TRY(take(*block));
    }
    return end_.value_or(expected_);
  }

 private:
  /// False at the end of the log.
  Result<bool> take(const LogBlock& block) {
    switch (block.type) {
      case journal_descriptor:
        TRY(take_descriptor(block));
        return true;
      case journal_commit:
        return take_commit(block);
      case journal_revoke:
        // A stale block of an earlier life of the journal may look like one: its commit block tells.
        doubtful_ = doubtful_ || !is_tail_right(journal_, block.bytes);
        return true;
      default:
        return false;
    }
  }

  Result<void> take_descriptor(const LogBlock& block) {
    doubtful_ = doubtful_ || !is_tail_right(journal_, block.bytes);
    const std::uint32_t count = count_tags(journal_, block.bytes);
    if (journal_.has_checksum_v1() && !end_) {
      crc_ = crc32_be(crc_, block.bytes);
      for (std::uint32_t i = 0; i < count; ++i) {
        TRY(journal_.read_block(journal_.after(cursor_.position(), i), logged_));
        crc_ = crc32_be(crc_, logged_);
      }
    }
    return cursor_.skip(count);
  }

  Result<bool> take_commit(const LogBlock& block) {
    const auto commit = from_bytes<CommitBlock>(block.bytes);
    const std::uint64_t time = commit.h_commit_sec;
    if (doubtful_) {
      // Blocks older than the transactions before them are left over, they end the log.
      if (time < last_time_) return false;
      return fail(EBADMSG, "ext4: journal: transaction {}, committed by block {}, has a wrong checksum",
                  block.sequence, block.index);
    }
    // Nothing is replayed after the first broken transaction, however many follow.
    if (journal_.has_checksum_v1() && end_) return true;
    if (!is_whole(commit, block.bytes)) {
      if (time < last_time_) return false;
      end_ = block.sequence;
      if (!journal_.has(journal_async_commit)) return true;
    }
    last_time_ = time;
    ++expected_;
    return true;
  }

  /// Whether a transaction was written completely, as far as checksums tell.
  bool is_whole(const CommitBlock& commit, std::span<const std::byte> bytes) {
    if (!journal_.has_checksum_v1()) return is_commit_right(journal_, bytes);
    const std::uint32_t found = commit.h_chksum[0];
    const bool matches = found == crc_ && commit.h_chksum_type == checksum_crc32 && commit.h_chksum_size == 4;
    const bool unused = found == 0 && commit.h_chksum_type == 0 && commit.h_chksum_size == 0;
    if (!matches && !unused) return false;
    crc_ = ~0U;
    return true;
  }

  const Journal& journal_;
  Cursor cursor_;
  std::uint32_t expected_;
  std::vector<std::byte> logged_;
  std::uint32_t crc_ = ~0U;
  std::uint64_t last_time_ = 0;
  std::optional<std::uint32_t> end_;
  bool doubtful_ = false;
};

}  // namespace

Result<std::uint32_t> find_end(const Journal& journal) {
  return Scan(journal).run();
}

Result<void> walk_log(const Journal& journal, std::uint32_t end,
                      const std::function<Result<void>(const LogBlock&)>& visit) {
  Cursor cursor(journal);
  for (std::uint32_t sequence = journal.sequence(); !is_at_or_after(sequence, end);) {
    const auto block = TRY(cursor.next(sequence));
    if (!block)
      return fail(EUCLEAN, "ext4: journal: transaction {} ends at block {} without a commit block", sequence,
                  cursor.position());
    if (block->type == journal_commit) {
      ++sequence;
      continue;
    }
    if (!is_tail_right(journal, block->bytes))
      return fail(EBADMSG, "ext4: journal: block {} has a wrong checksum", block->index);
    TRY(visit(*block));
    if (block->type == journal_descriptor) TRY(cursor.skip(count_tags(journal, block->bytes)));
  }
  return {};
}

Result<std::span<const std::byte>> revoke_records(const Journal& journal, const LogBlock& block) {
  const std::uint32_t used = from_bytes<RevokeHeader>(block.bytes).r_count;
  if (used > journal.payload_end())
    return fail(EUCLEAN, "ext4: journal: revoke block {}: r_count {} > {}", block.index, used,
                journal.payload_end());
  if (used <= sizeof(RevokeHeader)) return std::span<const std::byte>{};
  return block.bytes.first(used).subspan(sizeof(RevokeHeader));
}

}  // namespace vmfs::ext4
