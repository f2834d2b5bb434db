// SPDX-License-Identifier: MIT
#include "formats/partition/partition_table.h"

#include <algorithm>
#include <cerrno>

#include "formats/partition/gpt.h"
#include "formats/partition/mbr.h"

namespace vmfs {
namespace {

constexpr int max_warnings = 16;

/// Passes on the first warnings only: a hostile table has a mistake in each of its entries.
Warn limited(const Warn& warn) {
  return [&warn, count = 0](const std::string& text) mutable {
    if (++count <= max_warnings) warn("partition table: " + text);
    if (count == max_warnings) warn("partition table: further warnings are not shown");
  };
}

/// Overlapping partitions are kept, as the kernel keeps them: nothing is written here.
void warn_of_overlaps(const PartitionTable& table, const Warn& warn) {
  std::vector<const Partition*> order;
  for (const Partition& partition : table.partitions) {
    if (!partition.extended) order.push_back(&partition);
  }
  std::ranges::sort(order, {}, &Partition::offset);
  const Partition* furthest = nullptr;
  for (const Partition* partition : order) {
    if (furthest && partition->offset - furthest->offset < furthest->size) {
      warn(fmt::format("partitions {} and {} overlap", furthest->number, partition->number));
    }
    if (!furthest || partition->offset + partition->size > furthest->offset + furthest->size) {
      furthest = partition;
    }
  }
}

Result<std::optional<PartitionTable>> read_table(const Source& disk, const Warn& warn) {
  switch (TRY(classify_mbr(disk))) {
    case MbrKind::dos:
      return TRY(read_mbr(disk, warn));
    case MbrKind::protective:
      return TRY(read_gpt(disk, warn));
    case MbrKind::gpt_marked: {
      auto gpt = read_gpt(disk, warn);
      if (gpt) return *std::move(gpt);
      if (gpt.error().code != EUCLEAN) return std::unexpected(std::move(gpt).error());
      break;
    }
    case MbrKind::none:
      break;
  }
  return std::optional<PartitionTable>{};
}

}  // namespace

Result<std::optional<PartitionTable>> read_partition_table(const Source& disk, const Warn& warn) {
  const Warn few = limited(warn);
  auto table = TRY(read_table(disk, few));
  if (table) warn_of_overlaps(*table, few);
  return table;
}

}  // namespace vmfs
