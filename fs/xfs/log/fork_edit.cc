// SPDX-License-Identifier: MIT
#include "fs/xfs/log/fork_edit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vmfs::xfs {
namespace {

constexpr std::size_t max_extents = 1U << 20;
constexpr std::uint64_t max_run = (1U << 21) - 1;  // blocks, as a record can say

std::uint64_t address_of(const Geometry& g, std::uint64_t offset) {
  const std::uint64_t block = offset >> g.block_log;
  return block / g.ag_blocks << g.ag_block_log | block % g.ag_blocks;
}

}  // namespace

Result<ForkEdit> ForkEdit::load(const Volume& volume, const ForkMap& map) {
  ForkEdit edit;
  for (std::uint64_t block = 0; block < max_file_blocks;) {
    const Mapping mapping = TRY(find_mapping(volume, map, block));
    if (mapping.state != Mapping::State::hole) {
      if (edit.runs_.size() >= max_extents)
        return fail(EFBIG, "xfs: inode {}: more than {} extents", map.inode, max_extents);
      edit.runs_[block] = {.file_block = block,
                           .start = address_of(volume.geometry, mapping.offset),
                           .count = mapping.count,
                           .unwritten = mapping.state == Mapping::State::unwritten,
                           .there = true};
    }
    block += mapping.count;
  }
  return edit;
}

ForkEdit::Run ForkEdit::at(std::uint64_t file_block, std::uint64_t count) const {
  auto next = runs_.upper_bound(file_block);
  if (next != runs_.begin()) {
    const Run& run = std::prev(next)->second;
    const std::uint64_t skip = file_block - run.file_block;
    if (skip < run.count) {
      return {.file_block = file_block,
              .start = run.start + skip,
              .count = std::min(count, run.count - skip),
              .unwritten = run.unwritten,
              .there = true};
    }
  }
  if (next != runs_.end()) count = std::min(count, next->first - file_block);
  return {.file_block = file_block, .count = count};
}

std::uint64_t ForkEdit::remove(std::uint64_t file_block, std::uint64_t count) {
  std::uint64_t removed = 0;
  const std::uint64_t end = file_block + count;
  auto run = runs_.upper_bound(file_block);
  if (run != runs_.begin()) --run;
  while (run != runs_.end() && run->first < end) {
    const Run old = run->second;
    const std::uint64_t old_end = old.file_block + old.count;
    if (old_end <= file_block) {
      ++run;
      continue;
    }
    run = runs_.erase(run);
    removed += std::min(end, old_end) - std::max(file_block, old.file_block);
    if (old.file_block < file_block) {
      Run left = old;
      left.count = file_block - old.file_block;
      runs_[left.file_block] = left;
    }
    if (old_end > end) {
      Run right = old;
      right.file_block = end;
      right.start += end - old.file_block;
      right.count = old_end - end;
      runs_[end] = right;
    }
  }
  return removed;
}

Result<void> ForkEdit::insert(const Run& run) {
  const Run there = at(run.file_block, run.count);
  if (there.there || there.count < run.count || run.count == 0 || run.count > max_run)
    return fail(EUCLEAN, "xfs: no hole of {} blocks at {}", run.count, run.file_block);
  runs_[run.file_block] = run;
  return {};
}

std::vector<std::byte> ForkEdit::encode() const {
  std::vector<std::byte> bytes;
  bytes.reserve(runs_.size() * sizeof(BmbtRec));
  for (const auto& [file_block, run] : runs_) {
    const BmbtRec record{
        .l0 = std::uint64_t{run.unwritten ? 1U : 0U} << 63 | file_block << 9 | run.start >> 43,
        .l1 = run.start << 21 | run.count};
    const auto raw = std::as_bytes(std::span(&record, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
  return bytes;
}

}  // namespace vmfs::xfs
