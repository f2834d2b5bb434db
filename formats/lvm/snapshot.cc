// SPDX-License-Identifier: MIT
#include "formats/lvm/snapshot.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>
#include <vector>

#include "formats/lvm/format.h"

namespace vmfs::lvm {
namespace {

/// `struct disk_header`, the first chunk.
struct SnapshotHeader {
  le32 magic;
  le32 valid;
  le32 version;
  le32 chunk_size;  ///< sectors
};
static_assert(sizeof(SnapshotHeader) == 16);

/// `struct disk_exception`. Tables of them, a chunk each, lie before the chunks they tell of.
struct Exception {
  le64 old_chunk;
  le64 new_chunk;  ///< 0: no more
};
static_assert(sizeof(Exception) == 16);

constexpr std::uint32_t snapshot_magic = 0x70416e53;  // "SnAp"
constexpr std::uint32_t snapshot_version = 1;
constexpr std::uint64_t max_chunk_size = 16U << 20;

/// Chunks that follow each other in the origin and in the store.
struct Run {
  std::uint64_t old_chunk = 0;
  std::uint64_t new_chunk = 0;
  std::uint64_t count = 0;
};

class SnapshotSource final : public Source {
 public:
  SnapshotSource(std::shared_ptr<const Source> origin, std::shared_ptr<const Source> cow,
                 std::vector<Run> runs, std::uint64_t chunk_size)
      : Source(origin->size()),
        origin_(std::move(origin)),
        cow_(std::move(cow)),
        runs_(std::move(runs)),
        chunk_size_(chunk_size) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint64_t chunk = offset / chunk_size_;
    const auto next = std::ranges::upper_bound(runs_, chunk, {}, &Run::old_chunk);
    if (next != runs_.begin()) {
      const Run& run = *std::prev(next);
      const std::uint64_t into = offset - run.old_chunk * chunk_size_;
      const std::uint64_t length = run.count * chunk_size_;
      if (into < length)
        return cow_->map(run.new_chunk * chunk_size_ + into, std::min(max_length, length - into));
    }
    if (next == runs_.end()) return origin_->map(offset, max_length);
    return origin_->map(offset, std::min(max_length, next->old_chunk * chunk_size_ - offset));
  }

  const std::shared_ptr<const Source> origin_;
  const std::shared_ptr<const Source> cow_;
  const std::vector<Run> runs_;  ///< by old_chunk, apart from each other
  const std::uint64_t chunk_size_;
};

/// Collects exceptions in the order of the store.
class Exceptions {
 public:
  /// `origin` and `cow` are the numbers of chunks there are.
  Exceptions(std::uint64_t origin, std::uint64_t cow, SnapshotBudget& budget)
      : origin_(origin), cow_(cow), budget_(budget) {}

  Result<void> add(const Exception& exception) {
    const std::uint64_t old_chunk = exception.old_chunk;
    const std::uint64_t new_chunk = exception.new_chunk;
    if (old_chunk >= origin_ || new_chunk >= cow_) {
      return fail(EUCLEAN, "LVM snapshot: chunk {} of {} lies in chunk {} of {}", old_chunk, origin_,
                  new_chunk, cow_);
    }
    if (budget_.exceptions == 0) return fail(EFBIG, "LVM snapshot: too many chunks in all snapshots");
    --budget_.exceptions;
    if (!runs_.empty()) {
      Run& last = runs_.back();
      if (old_chunk == last.old_chunk + last.count && new_chunk == last.new_chunk + last.count) {
        ++last.count;
        return {};
      }
    }
    if (budget_.runs == 0) return fail(EFBIG, "LVM snapshot: too many runs of chunks in all snapshots");
    --budget_.runs;
    runs_.push_back({.old_chunk = old_chunk, .new_chunk = new_chunk, .count = 1});
    return {};
  }

  /// The runs by old chunk. Errors: EUCLEAN where a chunk is told of twice.
  Result<std::vector<Run>> sorted() && {
    std::ranges::sort(runs_, {}, &Run::old_chunk);
    for (std::size_t i = 1; i < runs_.size(); ++i) {
      if (runs_[i].old_chunk - runs_[i - 1].old_chunk < runs_[i - 1].count) {
        return fail(EUCLEAN, "LVM snapshot: chunk {} is in the store twice", runs_[i].old_chunk);
      }
    }
    return std::move(runs_);
  }

 private:
  const std::uint64_t origin_;
  const std::uint64_t cow_;
  SnapshotBudget& budget_;
  std::vector<Run> runs_;
};

/// Bytes of a chunk as the header says it; absent where the store was never used.
Result<std::optional<std::uint64_t>> read_chunk_size(const Source& cow) {
  const auto header = TRY(read_struct<SnapshotHeader>(cow, 0));
  if (header.magic == 0) return std::optional<std::uint64_t>{};
  if (header.magic != snapshot_magic) return fail(EUCLEAN, "LVM snapshot: its store has no magic number");
  if (header.version != snapshot_version) {
    return fail(EOPNOTSUPP, "LVM snapshot: version {}", std::uint32_t{header.version});
  }
  if (header.valid == 0) return fail(ESTALE, "LVM snapshot: is invalid, for its store was full");
  const std::uint64_t size = header.chunk_size * sector_size;
  if (!std::has_single_bit(size) || size > max_chunk_size)
    return fail(EUCLEAN, "LVM snapshot: chunks of {} bytes", size);
  return size;
}

Result<std::vector<Run>> read_exceptions(const Source& cow, std::uint64_t origin_size,
                                         std::uint64_t chunk_size, SnapshotBudget& budget) {
  const std::uint64_t chunks = cow.size() / chunk_size;
  const std::uint64_t per_table = chunk_size / sizeof(Exception);
  Exceptions exceptions((origin_size + chunk_size - 1) / chunk_size, chunks, budget);
  std::vector<std::byte> table(static_cast<std::size_t>(chunk_size));
  for (std::uint64_t at = 1; at < chunks; at += per_table + 1) {
    TRY(read(cow, at * chunk_size, table));
    for (std::uint64_t i = 0; i < per_table; ++i) {
      const auto exception = from_bytes<Exception>(std::span(table).subspan(i * sizeof(Exception)));
      if (exception.new_chunk == 0) return std::move(exceptions).sorted();
      TRY(exceptions.add(exception));
    }
  }
  return std::move(exceptions).sorted();
}

}  // namespace

Result<std::shared_ptr<const Source>> open_snapshot(std::shared_ptr<const Source> origin,
                                                    std::shared_ptr<const Source> cow,
                                                    SnapshotBudget& budget) {
  const auto chunk_size = TRY(read_chunk_size(*cow));
  if (!chunk_size) return origin;
  auto runs = TRY(read_exceptions(*cow, origin->size(), *chunk_size, budget));
  return std::make_shared<SnapshotSource>(std::move(origin), std::move(cow), std::move(runs), *chunk_size);
}

}  // namespace vmfs::lvm
