// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/revoke.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::ext4 {
namespace {

/// 128 MiB of records: those of 32 GiB of metadata freed since the log's beginning.
constexpr std::size_t most_records = std::size_t{8} << 20;

}  // namespace

Result<void> RevokeTable::add(const Journal& journal, const LogBlock& block) {
  const std::size_t size = journal.has(journal_64bit) ? 8 : 4;
  auto records = TRY(revoke_records(journal, block));
  for (; records.size() >= size; records = records.subspan(size)) {
    std::uint64_t number = from_bytes<be32>(records);
    if (size == 8) number = from_bytes<be64>(records);
    records_.push_back({.block = number, .sequence = block.sequence});
  }
  if (records_.size() <= most_records) return {};
  // Most often the same blocks are freed again and again.
  finish();
  if (records_.size() <= most_records / 2) return {};
  return fail(EFBIG, "ext4: journal: more than {} revoked blocks are not supported", most_records / 2);
}

void RevokeTable::finish() {
  std::ranges::sort(records_, [](const Record& a, const Record& b) {
    return a.block != b.block ? a.block < b.block : !is_at_or_after(a.sequence, b.sequence);
  });
  const auto rest = std::unique(records_.rbegin(), records_.rend(),
                                [](const Record& a, const Record& b) { return a.block == b.block; });
  records_.erase(records_.begin(), rest.base());
}

bool RevokeTable::revoked(std::uint64_t block, std::uint32_t sequence) const {
  const auto found = std::ranges::lower_bound(records_, block, {}, &Record::block);
  return found != records_.end() && found->block == block && is_at_or_after(found->sequence, sequence);
}

}  // namespace vmfs::ext4
