// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/replay.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "fs/ext4/journal/checksum.h"
#include "fs/ext4/journal/log.h"
#include "fs/ext4/journal/revoke.h"
#include "fs/ext4/journal/tags.h"

namespace vmfs::ext4 {
namespace {

/// The copies in the largest log that mke2fs makes.
constexpr std::size_t most_copies = 10'240'000;

/// The copy of a block in the log.
struct Copy {
  std::uint64_t block;
  std::uint64_t order;  ///< among all copies in the log
  std::uint32_t index;
  bool escaped;
};

class Replayer {
 public:
  Replayer(const Journal& journal, std::uint64_t block_count)
      : journal_(journal), block_count_(block_count), bytes_(journal.block_size()) {}

  Result<Replay> run(OverlaySource& overlay) {
    Replay replay;
    replay.end = TRY(find_end(journal_));
    replay.transactions = replay.end - journal_.sequence();
    TRY(walk_log(journal_, replay.end, [this](const LogBlock& block) -> Result<void> {
      return block.type == journal_revoke ? revokes_.add(journal_, block) : Result<void>{};
    }));
    revokes_.finish();
    TRY(walk_log(journal_, replay.end, [this](const LogBlock& block) -> Result<void> {
      return block.type == journal_descriptor ? collect(block) : Result<void>{};
    }));
    keep_latest();
    TRY(show(overlay));
    replay.blocks = copies_.size();
    return replay;
  }

 private:
  Result<void> collect(const LogBlock& descriptor) {
    Tags tags(journal_, descriptor.bytes);
    std::uint32_t index = descriptor.index;
    while (const auto tag = tags.next()) {
      index = journal_.after(index, 1);
      if (revokes_.revoked(tag->block, descriptor.sequence)) continue;
      if (tag->block >= block_count_)
        return fail(EUCLEAN, "ext4: journal: block {} is the copy of block {}, of {}", index, tag->block,
                    block_count_);
      TRY(check(*tag, descriptor.sequence, index));
      copies_.push_back({.block = tag->block, .order = order_++, .index = index, .escaped = tag->escaped});
    }
    if (copies_.size() <= most_copies) return {};
    keep_latest();
    if (copies_.size() <= most_copies / 2) return {};
    return fail(EFBIG, "ext4: journal: more than {} blocks to replay are not supported", most_copies / 2);
  }

  Result<void> check(const Tag& tag, std::uint32_t sequence, std::uint32_t index) {
    if (!journal_.has_block_checksums()) return {};
    TRY(journal_.read_block(index, bytes_));
    if (is_logged_block_right(journal_, tag, sequence, bytes_)) return {};
    return fail(EBADMSG, "ext4: journal: block {}, the copy of block {} of transaction {}: wrong checksum",
                index, tag.block, sequence);
  }

  /// Leaves one copy of a block, the last that was logged, in order of the blocks.
  void keep_latest() {
    std::ranges::sort(copies_, {}, [](const Copy& copy) { return std::pair(copy.block, copy.order); });
    const auto rest = std::unique(copies_.rbegin(), copies_.rend(),
                                  [](const Copy& a, const Copy& b) { return a.block == b.block; });
    copies_.erase(copies_.begin(), rest.base());
  }

  Result<void> show(OverlaySource& overlay) const {
    const std::uint32_t size = journal_.block_size();
    const be32 magic = journal_magic;
    const auto magic_bytes = std::as_bytes(std::span(&magic, 1));
    for (const Copy& copy : copies_) {
      const std::uint64_t offset = TRY(journal_.offset_of(copy.index));
      if (const auto& device = journal_.location().device(); device)
        TRY(overlay.place(copy.block * size, size, device, offset));
      else
        TRY(overlay.place(copy.block * size, size, offset));
      if (copy.escaped) TRY(overlay.put(copy.block * size, {magic_bytes.begin(), magic_bytes.end()}));
    }
    return {};
  }

  const Journal& journal_;
  const std::uint64_t block_count_;
  std::vector<std::byte> bytes_;
  RevokeTable revokes_;
  std::vector<Copy> copies_;
  std::uint64_t order_ = 0;
};

}  // namespace

Result<Replay> replay_log(const Journal& journal, std::uint64_t block_count, OverlaySource& overlay) {
  return Replayer(journal, block_count).run(overlay);
}

}  // namespace vmfs::ext4
