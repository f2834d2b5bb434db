// SPDX-License-Identifier: MIT
#include "formats/partition/mbr.h"

#include <algorithm>

#include "formats/partition/boot_sector.h"

namespace vmfs {
namespace {

constexpr std::uint16_t boot_signature = 0xaa55;
constexpr std::uint8_t protective_type = 0xee;
constexpr std::uint64_t sector_size = 512;
constexpr std::uint32_t first_logical_number = 5;

/// The most links followed for one disk. The kernel stops at 256 partitions and 100 empty links in a row.
constexpr std::size_t max_links = 512;

bool is_extended(const MbrPartitionRecord& record) {
  return record.os_type == 0x05 || record.os_type == 0x0f || record.os_type == 0x85;
}

/// A run of sectors; sums of two 32-bit fields, so they cannot overflow.
struct Run {
  std::uint64_t start;
  std::uint64_t size;
  [[nodiscard]] std::uint64_t end() const { return start + size; }
};

Run run_of(const MbrPartitionRecord& record) {
  return {.start = record.starting_lba, .size = record.size_in_lba};
}

/// Collects the partitions of one disk.
class MbrReader {
 public:
  MbrReader(const Source& disk, const Warn& warn) : disk_(disk), warn_(warn) {}

  Result<PartitionTable> read_table() {
    const auto mbr = TRY(read_struct<MasterBootRecord>(disk_, 0));
    disk_id_ = mbr.unique_mbr_disk_signature;
    table_.kind = "dos";
    table_.id = fmt::format("{:08x}", disk_id_);
    for (std::uint32_t slot = 0; slot < mbr.partition_record.size(); ++slot) {
      const MbrPartitionRecord& record = mbr.partition_record[slot];
      if (record.size_in_lba == 0) continue;
      add(slot + 1, run_of(record), record);
      if (is_extended(record)) TRY(follow_chain(slot + 1, run_of(record)));
    }
    std::ranges::sort(table_.partitions, {}, &Partition::number);
    return std::move(table_);
  }

 private:
  /// Follows the links of an extended partition; the kernel's parse_extended() gives order and numbers.
  Result<void> follow_chain(std::uint32_t number, const Run& extended) {
    Run link = extended;
    while (true) {
      if (std::ranges::find(links_, link.start) != links_.end()) {
        warn_(fmt::format("extended partition {}: its chain comes back to sector {}, followed once", number,
                          link.start));
        return {};
      }
      if (links_.size() > max_links || link.start >= disk_.size() / sector_size) {
        warn_(fmt::format("extended partition {}: its chain {}", number,
                          links_.size() > max_links
                              ? fmt::format("has more than {} links", max_links)
                              : fmt::format("goes on in sector {}, behind the end of the disk", link.start)));
        return {};
      }
      links_.push_back(link.start);
      const auto record = TRY(read_struct<MasterBootRecord>(disk_, link.start * sector_size));
      if (record.signature != boot_signature) {
        warn_(fmt::format("extended partition {}: no boot signature in sector {}, its chain ends there",
                          number, link.start));
        return {};
      }
      add_logical(record, link, extended);
      const auto next = std::ranges::find_if(record.partition_record, [](const MbrPartitionRecord& entry) {
        return entry.size_in_lba != 0 && is_extended(entry);
      });
      if (next == record.partition_record.end()) return {};
      link = {.start = extended.start + next->starting_lba, .size = next->size_in_lba};
    }
  }

  /// Adds what one link describes: data partitions relative to the link itself. Its third and fourth record
  /// count only when they make sense, as they often hold garbage.
  void add_logical(const MasterBootRecord& record, const Run& link, const Run& extended) {
    for (std::size_t i = 0; i < record.partition_record.size(); ++i) {
      const MbrPartitionRecord& entry = record.partition_record[i];
      if (entry.size_in_lba == 0 || is_extended(entry)) continue;
      const Run run{.start = link.start + entry.starting_lba, .size = entry.size_in_lba};
      if (i >= 2 && (run_of(entry).end() > link.size || run.end() > extended.end())) continue;
      if (next_logical_ > max_partitions) {
        if (next_logical_++ == max_partitions + 1) {
          warn_(fmt::format("more than {} partitions: the others are left out", max_partitions));
        }
        return;
      }
      add(next_logical_++, run, entry);
    }
  }

  void add(std::uint32_t number, const Run& run, const MbrPartitionRecord& record) {
    const std::uint64_t sectors = disk_.size() / sector_size;
    if (run.start >= sectors) {
      warn_(fmt::format("partition {} starts at sector {}, but the disk has {}: left out", number, run.start,
                        sectors));
      return;
    }
    const std::uint64_t size = std::min(run.size, sectors - run.start);
    if (size < run.size) {
      warn_(fmt::format("partition {} ends at sector {}, but the disk has {}: cut off there", number,
                        run.end() - 1, sectors));
    }
    table_.partitions.push_back({.number = number,
                                 .offset = run.start * sector_size,
                                 .size = size * sector_size,
                                 .type = fmt::format("{:02x}", record.os_type),
                                 .name = {},
                                 .uuid = fmt::format("{:08x}-{:02x}", disk_id_, number),
                                 .extended = is_extended(record)});
  }

  const Source& disk_;
  const Warn& warn_;
  PartitionTable table_;
  std::uint32_t disk_id_ = 0;
  std::uint32_t next_logical_ = first_logical_number;
  std::vector<std::uint64_t> links_{0};  ///< sectors read, the first one of the disk included
};

}  // namespace

Result<MbrKind> classify_mbr(const Source& disk) {
  if (disk.size() < sizeof(MasterBootRecord)) return MbrKind::none;
  const auto mbr = TRY(read_struct<MasterBootRecord>(disk, 0));
  if (mbr.signature != boot_signature) return MbrKind::none;
  const auto& records = mbr.partition_record;
  const auto is_marker = [](const MbrPartitionRecord& record) { return record.os_type == protective_type; };
  if (std::ranges::any_of(
          records, [&](const auto& record) { return is_marker(record) && record.starting_lba == 1; })) {
    return MbrKind::protective;
  }
  if (std::ranges::any_of(records, is_marker)) return MbrKind::gpt_marked;
  const bool plausible = std::ranges::all_of(records, [](const MbrPartitionRecord& record) {
    return record.boot_indicator == 0 || record.boot_indicator == 0x80;
  });
  const bool empty = std::ranges::all_of(records, [](const auto& record) { return record.size_in_lba == 0; });
  if (!plausible || empty) return MbrKind::none;
  const auto filesystem = TRY(identify_boot_sector(disk));
  return filesystem == BootSector::none ? MbrKind::dos : MbrKind::none;
}

Result<PartitionTable> read_mbr(const Source& disk, const Warn& warn) {
  return MbrReader(disk, warn).read_table();
}

}  // namespace vmfs
