// SPDX-License-Identifier: MIT
#include "fs/xfs/log/tail.h"

#include <algorithm>
#include <cerrno>

#include "fs/xfs/log/head.h"

namespace vmfs::xfs {
namespace {

// The last record, and what it says.
struct LastRecord {
  std::uint64_t block = 0;
  XlogRecHeader header;
};

class TailFinder {
 public:
  TailFinder(const Ring& ring, const Geometry& geometry, bool check_crc)
      : ring_(ring),
        geometry_(geometry),
        checksums_(check_crc ? RecordReader::Checksums::if_any : RecordReader::Checksums::ignored) {}

  [[nodiscard]] Result<LogExtent> find() {
    head_ = TRY(find_log_head(ring_, geometry_));
    if (head_ == 0 && TRY(ring_.cycle(0)) == 0) return LogExtent{};
    TRY(set_last(head_, head_));
    if (TRY(ends_with_unmount())) return LogExtent{.tail = head_, .head = head_};
    const std::uint64_t whole = head_;
    TRY(check_head());
    if (head_ != whole && TRY(ends_with_unmount())) return LogExtent{.tail = head_, .head = head_};
    TRY(check_distance());
    return LogExtent{.tail = tail_, .head = head_, .clean = false};
  }

 private:
  // The last record before `from`.
  [[nodiscard]] Result<void> set_last(std::uint64_t from, std::uint64_t to) {
    const auto found = TRY(ring_.find_header_back(from, to, 1));
    if (!found) return bad_log(ring_, from, "no record before here");
    last_.block = *found;
    last_.header = from_bytes<XlogRecHeader>(TRY(ring_.block(*found)));
    // The next record will be of the next cycle where this one is the last of its own.
    cycle_ = last_.header.h_cycle + (*found >= from ? 1U : 0U);
    tail_ = block_of(last_.header.h_tail_lsn);
    if (tail_ >= ring_.blocks()) return bad_log(ring_, *found, "h_tail_lsn names block {}", tail_);
    return {};
  }

  // Whether the last record, just before the head, says that the file system was unmounted
  // (xlog_check_unmount_rec()).
  [[nodiscard]] Result<bool> ends_with_unmount() const {
    const std::uint64_t body = last_.block + header_blocks(geometry_, last_.header);
    const std::uint64_t after = body + body_blocks(last_.header);
    if (after % ring_.blocks() != head_ || last_.header.h_num_logops != 1) return false;
    const auto operation = from_bytes<XlogOpHeader>(TRY(ring_.block(body)));
    return (operation.oh_flags & log_op::unmount) != 0;
  }

  // The first record from `tail` to the head whose checksum or header is wrong.
  [[nodiscard]] Result<std::optional<std::uint64_t>> first_bad(std::uint64_t tail, Error& why) const {
    if (tail == head_) return std::optional<std::uint64_t>{};
    RecordReader reader(ring_, geometry_, tail, head_, checksums_);
    while (true) {
      auto more = reader.next();
      if (!more && more.error().code != EUCLEAN) return std::unexpected(std::move(more).error());
      if (!more) {
        why = std::move(more).error();
        return std::optional(reader.position());
      }
      if (!*more) return std::optional<std::uint64_t>{};
    }
  }

  // A machine that stops may tear any of the records that were under way (xlog_verify_head()).
  [[nodiscard]] Result<void> check_head() {
    Error why{};
    const auto first = TRY(ring_.find_header_back(head_, tail_, log_max_buffers));
    if (!first) return bad_log(ring_, head_, "no record before here");
    if (const auto torn = TRY(first_bad(*first, why))) {
      const std::uint64_t old_tail = tail_;
      head_ = *torn;
      TRY(set_last(head_, old_tail));
      if (head_ == tail_) return {};
    }
    return check_tail();
  }

  // The tail that the last record names may have been written over already by a record that is not whole, for
  // which the tail had moved on (xlog_verify_tail()).
  [[nodiscard]] Result<void> check_tail() {
    Error why{};
    const std::uint64_t reach = std::uint64_t{log_max_buffers} *
                                std::max<std::uint64_t>(last_.header.h_size, log_block_size) / log_block_size;
    auto record = TRY(ring_.find_header(tail_, head_));
    while (record) {
      const auto bad = TRY(first_bad(*record, why));
      if (!bad) {
        tail_ = *record;
        return {};
      }
      const std::uint64_t distance = (*bad + ring_.blocks() - head_) % ring_.blocks();
      if (distance > reach) return std::unexpected(std::move(why));
      const std::uint64_t next = (*bad + 1) % ring_.blocks();
      if (next == head_) break;
      record = TRY(ring_.find_header(next, head_));
    }
    return bad_log(ring_, tail_, "no record from here on");
  }

  // The tail is at most one turn behind the head (xlog_clear_stale_blocks()).
  [[nodiscard]] Result<void> check_distance() const {
    const std::uint64_t lsn = last_.header.h_tail_lsn;
    const std::uint32_t cycle = cycle_of(lsn);
    const std::uint64_t block = block_of(lsn);
    if (cycle_ == cycle ? head_ >= block : head_ < block && cycle_ == cycle + 1) return {};
    return bad_log(ring_, last_.block, "h_tail_lsn {}:{}, head at {}:{}", cycle, block, cycle_, head_);
  }

  const Ring& ring_;
  const Geometry& geometry_;
  const RecordReader::Checksums checksums_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint32_t cycle_ = 0;
  LastRecord last_;
};

}  // namespace

Result<LogExtent> find_log_extent(const Ring& ring, const Geometry& geometry, bool check_crc) {
  return TailFinder(ring, geometry, check_crc).find();
}

}  // namespace vmfs::xfs
