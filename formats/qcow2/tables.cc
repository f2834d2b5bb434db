// SPDX-License-Identifier: MIT
#include "formats/qcow2/tables.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>

#include "formats/qcow2/entry.h"

namespace vmfs::qcow2 {
namespace {

constexpr std::size_t max_slice_words = 512;

/// A cache with room for the tables just once would drop slices that fall into the same set. Empty room is
/// free.
constexpr std::size_t spare_room = 4;

/// A position in a slice and what is asked there.
struct Query {
  std::size_t cluster;       ///< index of the entry in the slice
  unsigned subcluster;       ///< within that cluster
  std::uint64_t skip;        ///< bytes before the wanted ones in that subcluster
  std::uint64_t max_length;  ///< bytes
};

/// Subclusters alike from one on, within one cluster.
struct Stretch {
  Run::Kind kind;
  unsigned count;
};

Cluster cluster_at(const Geometry& geometry, Slice slice, std::size_t index) {
  const std::size_t word = index * geometry.entry_words();
  const std::uint64_t entry = slice[word].load(std::memory_order_acquire);
  const std::uint64_t bitmap = geometry.extended_l2 ? slice[word + 1].load(std::memory_order_acquire) : 0;
  return parse_entry(geometry, entry, bitmap);
}

Stretch stretch_at(const Geometry& geometry, const Cluster& cluster, unsigned first) {
  const unsigned left = geometry.subclusters() - first;
  if (cluster.kind == Cluster::Kind::compressed) return {Run::Kind::compressed, left};
  const auto alike = [&](std::uint32_t mask) {
    return std::min(left, static_cast<unsigned>(std::countr_one(mask >> first)));
  };
  if ((cluster.zero >> first & 1) != 0) return {Run::Kind::zero, alike(cluster.zero)};
  if ((cluster.allocated >> first & 1) != 0) return {Run::Kind::data, alike(cluster.allocated)};
  return {Run::Kind::unallocated, alike(~(cluster.zero | cluster.allocated))};
}

/// In an external data file every byte lies at its own offset; anything else is corruption.
bool misplaced(const Geometry& geometry, const Run& run, std::uint64_t offset) {
  return geometry.external_data && run.kind == Run::Kind::data && run.host != offset;
}

/// The run at `query`, or nothing if the entry there is broken. Whatever lies in `slice`, it ends.
std::optional<Run> run_in(const Geometry& geometry, Slice slice, const Query& query) {
  Cluster cluster = cluster_at(geometry, slice, query.cluster);
  if (cluster.kind == Cluster::Kind::invalid) return std::nullopt;
  Stretch stretch = stretch_at(geometry, cluster, query.subcluster);
  const unsigned bits = geometry.subcluster_bits();
  Run run{.kind = stretch.kind, .length = std::uint64_t{stretch.count} << bits, .host = cluster.host};
  if (run.kind == Run::Kind::data) run.host += (std::uint64_t{query.subcluster} << bits) + query.skip;
  run.length -= query.skip;
  bool to_the_end = query.subcluster + stretch.count == geometry.subclusters();
  const std::size_t clusters = slice.size() / geometry.entry_words();
  for (std::size_t i = query.cluster + 1; to_the_end && i < clusters && run.length < query.max_length; ++i) {
    cluster = cluster_at(geometry, slice, i);
    if (cluster.kind == Cluster::Kind::invalid) break;
    stretch = stretch_at(geometry, cluster, 0);
    if (stretch.kind != run.kind) break;
    if (run.kind == Run::Kind::data && cluster.host != run.host + run.length) break;
    run.length += std::uint64_t{stretch.count} << bits;
    to_the_end = stretch.count == geometry.subclusters();
  }
  run.length = std::min(run.length, query.max_length);
  return run;
}

}  // namespace

Tables::Tables(std::shared_ptr<const Source> file, const Geometry& geometry, std::vector<std::uint64_t> l1,
               MemoryBudget& budget)
    : file_(std::move(file)),
      geometry_(geometry),
      l1_(std::move(l1)),
      slice_words_(std::min<std::size_t>(max_slice_words, geometry.l2_size() / 8)),
      cache_(slice_words_, l1_.size() * geometry.l2_size() * spare_room, budget) {}

Result<std::unique_ptr<const Tables>> Tables::read(std::shared_ptr<const Source> file,
                                                   const Geometry& geometry, const Table& l1,
                                                   std::uint64_t disk_size, MemoryBudget& budget) {
  const auto entries = static_cast<std::size_t>(std::min(l1.entries, geometry.l1_entries(disk_size)));
  std::vector<std::uint64_t> table(entries);
  TRY(vmfs::read(*file, l1.offset, std::as_writable_bytes(std::span(table))));
  for (std::uint64_t& entry : table) entry = std::bit_cast<be64>(entry);
  return std::unique_ptr<const Tables>(new Tables(std::move(file), geometry, std::move(table), budget));
}

Run Tables::find_absent(std::uint64_t offset, std::uint64_t max_length) const {
  auto index = static_cast<std::size_t>(std::min<std::uint64_t>(offset >> geometry_.l1_shift(), l1_.size()));
  while (index < l1_.size() && l1_[index] == 0) ++index;
  if (index == l1_.size()) return {.length = max_length};
  const std::uint64_t end = std::uint64_t{index} << geometry_.l1_shift();
  return {.length = std::min(max_length, end - offset)};
}

Result<void> Tables::load(std::uint64_t key, std::span<std::atomic<std::uint64_t>> slice) const {
  be64 words[max_slice_words];
  if (key > file_->size() || slice.size() * 8 > file_->size() - key)
    return fail(EUCLEAN, "qcow2: L2 table: {:#x} is not inside the file of {} bytes", key, file_->size());
  TRY(vmfs::read(*file_, key, std::as_writable_bytes(std::span(words).first(slice.size()))));
  for (std::size_t i = 0; i < slice.size(); ++i) slice[i].store(words[i], std::memory_order_relaxed);
  return {};
}

Result<Run> Tables::find(std::uint64_t offset, std::uint64_t max_length) const {
  const std::uint64_t l1_index = offset >> geometry_.l1_shift();
  if (l1_index >= l1_.size() || l1_[l1_index] == 0) return find_absent(offset, max_length);
  const std::uint64_t table = TRY(parse_l1_entry(geometry_, l1_[l1_index]));
  if (table == 0) {
    const std::uint64_t covered = std::uint64_t{1} << geometry_.l1_shift();
    return Run{.length = std::min(max_length, covered - offset % covered)};
  }
  const std::uint64_t index =
      (offset >> geometry_.cluster_bits) & ((std::uint64_t{1} << geometry_.l2_bits) - 1);
  const std::uint64_t word = index * geometry_.entry_words();
  const std::uint64_t key = table + word / slice_words_ * slice_words_ * 8;
  const std::uint64_t in_cluster = offset & (geometry_.cluster_size() - 1);
  const Query query{
      .cluster = static_cast<std::size_t>(word % slice_words_ / geometry_.entry_words()),
      .subcluster = static_cast<unsigned>(in_cluster >> geometry_.subcluster_bits()),
      .skip = in_cluster & ((std::uint64_t{1} << geometry_.subcluster_bits()) - 1),
      .max_length = max_length,
  };
  std::optional<Run> run;
  const auto visit = [&](Slice slice) { run = run_in(geometry_, slice, query); };
  if (!cache_.visit(key, visit)) {
    std::array<std::atomic<std::uint64_t>, max_slice_words> words;
    TRY(load(key, std::span(words).first(slice_words_)));
    cache_.insert(key, Slice(words).first(slice_words_));
    visit(Slice(words).first(slice_words_));
  }
  if (!run || misplaced(geometry_, *run, offset))
    return fail(EUCLEAN, "qcow2: L2 table {:#x}: entry {} (disk offset {:#x}) is broken", table, index,
                offset);
  return *run;
}

}  // namespace vmfs::qcow2
