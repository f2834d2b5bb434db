// SPDX-License-Identifier: MIT
#include "formats/qcow2/snapshots.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::qcow2 {
namespace {

/// The fixed part of an entry; extra data, id and name follow, then padding to 8 bytes.
struct QcowSnapshotHeader {
  be64 l1_table_offset;
  be32 l1_size;
  be16 id_str_size;
  be16 name_size;
  be32 date_sec;
  be32 date_nsec;
  be64 vm_clock_nsec;
  be32 vm_state_size;
  be32 extra_data_size;
};
static_assert(sizeof(QcowSnapshotHeader) == 40);

struct QcowSnapshotExtraData {
  be64 vm_state_size_large;
  be64 disk_size;
};
static_assert(sizeof(QcowSnapshotExtraData) == 16);

// QEMU's own limits.
constexpr std::uint64_t max_snapshots = 65536;
constexpr std::uint64_t max_table_size = std::uint64_t{64} << 20;
constexpr std::uint32_t max_extra_data = 1024;

Result<std::string> read_text(const Source& file, std::uint64_t offset, std::size_t length) {
  std::string text(length, '\0');
  TRY(read(file, offset, std::as_writable_bytes(std::span(text))));
  return text;
}

/// Reads the entry at `offset` and moves `offset` behind it.
Result<SnapshotEntry> read_entry(const Source& file, const Header& header, std::uint64_t& offset) {
  const auto raw = TRY(read_struct<QcowSnapshotHeader>(file, offset));
  offset += sizeof raw;
  if (raw.extra_data_size > max_extra_data)
    return fail(EUCLEAN, "extra_data_size {} > {}", std::uint32_t{raw.extra_data_size}, max_extra_data);
  SnapshotEntry entry;
  entry.l1 = {.offset = raw.l1_table_offset, .entries = raw.l1_size};
  entry.snapshot.time = raw.date_sec;
  entry.snapshot.size = header.size;
  if (raw.extra_data_size >= sizeof(QcowSnapshotExtraData))
    entry.snapshot.size = TRY(read_struct<QcowSnapshotExtraData>(file, offset)).disk_size / 512 * 512;
  offset += raw.extra_data_size;
  entry.snapshot.id = TRY(read_text(file, offset, raw.id_str_size));
  offset += raw.id_str_size;
  entry.snapshot.name = TRY(read_text(file, offset, raw.name_size));
  offset += raw.name_size;
  offset = (offset + 7) / 8 * 8;
  return entry;
}

}  // namespace

Result<std::vector<SnapshotEntry>> read_snapshots(const Source& file, const Header& header) {
  const Table& table = header.snapshots;
  std::vector<SnapshotEntry> snapshots;
  if (table.entries == 0) return snapshots;
  if (table.entries > max_snapshots)
    return fail(EUCLEAN, "qcow2: snapshot table: nb_snapshots {} > {}", table.entries, max_snapshots);
  if (table.offset % header.geometry.cluster_size() != 0 || table.offset > file.size())
    return fail(EUCLEAN, "qcow2: snapshot table: offset {:#x} is not aligned or not inside the file",
                table.offset);
  std::uint64_t offset = table.offset;
  for (std::uint64_t i = 0; i < table.entries; ++i) {
    auto entry = read_entry(file, header, offset);
    if (!entry)
      return fail(EUCLEAN, "qcow2: snapshot table: entry {} of {}: {}", i, table.entries, entry.error().what);
    if (offset - table.offset > max_table_size)
      return fail(EUCLEAN, "qcow2: snapshot table: more than {} bytes", max_table_size);
    snapshots.push_back(std::move(*entry));
  }
  return snapshots;
}

Result<Header> use_snapshot(const Source& file, Header header, const std::vector<SnapshotEntry>& snapshots,
                            std::string_view wanted) {
  auto found = std::ranges::find(snapshots, wanted, [](const auto& entry) { return entry.snapshot.id; });
  if (found == snapshots.end())
    found = std::ranges::find(snapshots, wanted, [](const auto& entry) { return entry.snapshot.name; });
  if (found == snapshots.end()) {
    std::string names;
    for (const auto& entry : snapshots) names += fmt::format(" {}", entry.snapshot.name);
    return fail(ENOENT, "no snapshot with the id or name {}; there are:{}", wanted,
                names.empty() ? " none" : names);
  }
  TRY(check_table(file, found->l1, max_l1_size, header.geometry.cluster_size(), "L1 table of a snapshot"));
  header.l1 = found->l1;
  header.size = found->snapshot.size;
  return header;
}

}  // namespace vmfs::qcow2
