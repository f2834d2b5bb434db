// SPDX-License-Identifier: MIT
#include "fs/xfs/log/head.h"

#include <algorithm>
#include <cerrno>

#include "fs/xfs/log/record.h"

namespace vmfs::xfs {
namespace {

// Blocks of the longest record, and of all that can be written at one time.
std::uint64_t record_reach(const Geometry& geometry) {
  return (geometry.log_v2 ? log_max_record : log_cycle_span) / log_block_size;
}

class HeadFinder {
 public:
  HeadFinder(const Ring& ring, const Geometry& geometry)
      : ring_(ring), geometry_(geometry), record_reach_(record_reach(geometry)) {}

  [[nodiscard]] Result<std::uint64_t> find() {
    const std::uint32_t first = TRY(ring_.cycle(0));
    const std::uint32_t last = TRY(ring_.cycle(ring_.blocks() - 1));
    if (first == 0) return 0;
    if (last == 0) return find_in_first_turn();
    // In a log full of one cycle the head is its end, unless there is a hole of the cycle before.
    head_ = first == last ? ring_.blocks() : TRY(ring_.start_of_cycle(last));
    TRY(step_back_to_holes(first == last ? last - 1 : last));
    TRY(step_back_to_record());
    return head_ == ring_.blocks() ? 0 : head_;
  }

 private:
  // The log was not filled yet (xlog_find_zeroed()).
  [[nodiscard]] Result<std::uint64_t> find_in_first_turn() {
    head_ = TRY(ring_.start_of_cycle(0));
    const std::uint64_t reach = std::min(head_, record_reach_ * log_max_buffers);
    const std::uint64_t start = head_ - reach;
    if (const auto hole = TRY(ring_.find_cycle(start, reach, 0))) head_ = *hole;
    if (!TRY(step_back(start, head_, 0))) return bad_log(ring_, head_, "no record before here");
    return head_;
  }

  // Records may reach the disk in another order than they were written in: blocks of an older cycle before
  // the head are holes, behind which nothing counts.
  [[nodiscard]] Result<void> step_back_to_holes(std::uint32_t stop_on) {
    const std::uint64_t reach = std::min(ring_.blocks(), record_reach_ * log_max_buffers);
    if (head_ >= reach) {
      if (const auto hole = TRY(ring_.find_cycle(head_ - reach, reach, stop_on))) head_ = *hole;
      return {};
    }
    const std::uint64_t rest = reach - head_;  // at the end of the ring, where the cycle is one less
    if (const auto hole = TRY(ring_.find_cycle(ring_.blocks() - rest, rest, stop_on - 1))) {
      head_ = *hole;
      return {};
    }
    if (const auto hole = TRY(ring_.find_cycle(0, head_, stop_on))) head_ = *hole;
    return {};
  }

  // The head may be inside a record, which then counts for nothing.
  [[nodiscard]] Result<void> step_back_to_record() {
    if (head_ >= record_reach_) {
      if (!TRY(step_back(head_ - record_reach_, head_, 0)))
        return bad_log(ring_, head_, "no record before here");
      return {};
    }
    if (TRY(step_back(0, head_, 0))) return {};
    const std::uint64_t rest = std::min(record_reach_ - head_, ring_.blocks());
    std::uint64_t end = ring_.blocks();
    if (!TRY(step_back(ring_.blocks() - rest, end, head_)))
      return bad_log(ring_, head_, "no record before here");
    if (end != ring_.blocks()) head_ = end;
    return {};
  }

  // Looks from `end` back to `start` for a record, and moves `end` to its start unless it fills the blocks up
  // to `end` and `beyond` more (xlog_find_verify_log_record()). False: the log's first block was passed.
  [[nodiscard]] Result<bool> step_back(std::uint64_t start, std::uint64_t& end, std::uint64_t beyond) const {
    for (std::uint64_t block = end; block > start;) {
      if (!TRY(ring_.is_header(--block))) continue;
      const auto header = from_bytes<XlogRecHeader>(TRY(ring_.block(block)));
      if (end - block + beyond != body_blocks(header) + header_blocks(geometry_, header)) end = block;
      return true;
    }
    if (start != 0) return bad_log(ring_, end, "no record before here");
    return false;
  }

  const Ring& ring_;
  const Geometry& geometry_;
  const std::uint64_t record_reach_;
  std::uint64_t head_ = 0;
};

}  // namespace

Result<std::uint64_t> find_log_head(const Ring& ring, const Geometry& geometry) {
  return HeadFinder(ring, geometry).find();
}

}  // namespace vmfs::xfs
