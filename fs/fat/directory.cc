// SPDX-License-Identifier: MIT
#include "fs/fat/directory.h"

#include <algorithm>
#include <cerrno>

#include "fs/fat/name.h"

namespace vmfs::fat {

Cluster start_of(const Volume& volume, const DirEntry& entry) {
  const Cluster high = volume.geometry.bits == 32 ? Cluster{entry.fst_clus_hi} << 16U : 0;
  return high | entry.fst_clus_lo;
}

Cluster root_start(const Volume& volume) {
  return volume.geometry.root_cluster;
}

bool is_free(const DirEntry& entry) {
  return entry.name[0] == 0 || entry.name[0] == name_free;
}

/// Makes the chunk hold the entry that comes next; false at the end of the directory.
Result<bool> EntryReader::find_chunk() {
  const Geometry& g = volume_.geometry;
  if (passed_ == max_directory_entries) return fail(EIO, "fat: a directory of more than {} entries", passed_);
  const std::uint64_t at = passed_ * entry_size;
  if (is_root_) {
    if (passed_ == g.root_entries) return false;
    offset_ = g.root_offset + at;
  } else {
    if (!g.is_valid(cluster_)) return fail(EIO, "fat: a directory begins at cluster {}", cluster_);
    if (at % g.cluster_size == 0) {
      if (passed_ != 0) {
        const Cluster next = TRY(volume_.table.follow(cluster_));
        if (next == AllocationTable::end) return false;
        cluster_ = next;
      }
      ++clusters_;
    }
    offset_ = g.offset_of(cluster_) + at % g.cluster_size;
  }
  if (at % chunk_size != 0 && loaded_) return true;
  TRY(read(*volume_.source, offset_ - at % chunk_size, chunk_));
  loaded_ = true;
  return true;
}

Result<bool> EntryReader::next() {
  const bool there = TRY(find_chunk());
  if (!there) return false;
  entry_ = from_bytes<DirEntry>(std::span(chunk_).subspan(passed_ * entry_size % chunk_size));
  ++passed_;
  return true;
}

Result<bool> EntryReader::skip_to(std::uint32_t index) {
  if (index > max_directory_entries) return false;
  const Geometry& g = volume_.geometry;
  passed_ = is_root_ ? std::min(index, g.root_entries) : index;
  loaded_ = false;
  if (is_root_ || index == 0) return true;
  if (!g.is_valid(cluster_)) return fail(EIO, "fat: a directory begins at cluster {}", cluster_);
  // The cluster of the entry before: the chain is followed when a new one is entered.
  for (std::uint64_t i = (index - 1) * entry_size / g.cluster_size; i != 0; --i) {
    const Cluster next = TRY(volume_.table.follow(cluster_));
    if (next == AllocationTable::end) return false;
    cluster_ = next;
  }
  return true;
}

LongDirEntry EntryReader::long_entry() const {
  return from_bytes<LongDirEntry>(std::as_bytes(std::span(&entry_, 1)));
}

// The parts of a long name stand before the entry that they belong to, the last part first. One that does not
// fit begins anew: what is before it belonged to a file that is gone.
Result<RecordReader::LongName> RecordReader::read_long_name(std::string& name) {
  std::array<char16_t, max_long_entries * long_entry_characters> units{};
  std::size_t left = 0;
  std::uint8_t checksum = 0;
  for (;;) {
    const LongDirEntry part = entries_.long_entry();
    const std::size_t count = part.ord & ~unsigned{last_long_entry};
    if (left == 0 || count != left || part.chksum != checksum) {
      if ((part.ord & last_long_entry) == 0 || count == 0 || count > max_long_entries) return LongName::skip;
      left = count;
      checksum = part.chksum;
      units = {};
    }
    --left;
    auto* at = units.data() + left * long_entry_characters;
    at = std::ranges::copy(part.name1, at).out;
    at = std::ranges::copy(part.name2, at).out;
    std::ranges::copy(part.name3, at);
    const bool there = TRY(entries_.next());
    if (!there) return LongName::end;
    if (entries_.entry().attr != attr_long_name) break;
    if (entries_.entry().name[0] == name_free && left == 0) return LongName::skip;
  }
  if (left != 0) return LongName::none;
  const DirEntry& file = entries_.entry();
  if (is_free(file) || (file.attr & attr_volume_id) != 0) return LongName::skip;
  if (name_checksum(file) != checksum) return LongName::none;
  name = long_name(units);
  return LongName::whole;
}

Result<bool> RecordReader::next(DirectoryRecord& record) {
  for (;;) {
    bool there = TRY(entries_.next());
    if (!there) return false;
    record.name.clear();
    if (entries_.entry().name[0] == name_free) continue;
    if (entries_.entry().attr == attr_long_name) {
      const LongName found = TRY(read_long_name(record.name));
      if (found == LongName::end) return false;
      if (found == LongName::skip) continue;
    }
    const DirEntry& entry = entries_.entry();
    if (is_free(entry) || (entry.attr & attr_volume_id) != 0) continue;
    record.short_name = short_name(entry);
    if (record.short_name.empty()) continue;
    if (record.name.empty()) record.name = record.short_name;
    record.entry = entry;
    record.offset = entries_.offset();
    record.next = entries_.passed();
    return true;
  }
}

}  // namespace vmfs::fat
