// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>

#include "fs/fat/allocation_table.h"
#include "fs/fat/format.h"

namespace vmfs::fat {

/// Linux makes no directory longer.
constexpr std::uint32_t max_directory_entries = 65536;

/// The start of a directory's chain; the root of FAT12 and FAT16, which has a place of its own, is 0.
[[nodiscard]] Cluster start_of(const Volume& volume, const DirEntry& entry);
[[nodiscard]] Cluster root_start(const Volume& volume);

/// Reads the entries of a directory one by one, as they lie there. Used by one thread.
class EntryReader {
 public:
  /// Errors of a start that is no cluster come with the first entry.
  EntryReader(const Volume& volume, Cluster start) : volume_(volume), cluster_(start), is_root_(start == 0) {}

  /// Goes to the next entry; false at the end of the directory. Errors: EIO, also for more than
  /// max_directory_entries.
  [[nodiscard]] Result<bool> next();

  /// Goes to an entry before the first next(); false where the directory has none such.
  [[nodiscard]] Result<bool> skip_to(std::uint32_t index);

  [[nodiscard]] const DirEntry& entry() const { return entry_; }
  [[nodiscard]] LongDirEntry long_entry() const;
  /// Where the entry is on the volume, in bytes.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  /// How many entries of the directory were passed, this one included.
  [[nodiscard]] std::uint32_t passed() const { return passed_; }
  /// How many clusters of the directory were entered.
  [[nodiscard]] std::uint32_t clusters() const { return clusters_; }

 private:
  [[nodiscard]] Result<bool> find_chunk();

  static constexpr std::uint32_t chunk_size = 512;  // no sector is smaller

  const Volume& volume_;
  Cluster cluster_;
  const bool is_root_;
  std::uint32_t passed_ = 0;
  std::uint32_t clusters_ = 0;
  std::uint64_t offset_ = 0;
  DirEntry entry_{};
  bool loaded_ = false;
  std::array<std::byte, chunk_size> chunk_;
};

/// A file in a directory.
struct DirectoryRecord {
  std::string name;
  std::string short_name;  ///< by this name it is found too
  DirEntry entry{};
  std::uint64_t offset = 0;  ///< of the entry on the volume, in bytes
  std::uint32_t next = 0;    ///< how many entries of the directory are before the next record
};

/// Reads the files in a directory, long names put together as Linux does. Used by one thread.
class RecordReader {
 public:
  RecordReader(const Volume& volume, Cluster start) : entries_(volume, start) {}

  /// As EntryReader::skip_to(); `index` is the `next` of a record.
  [[nodiscard]] Result<bool> skip_to(std::uint32_t index) { return entries_.skip_to(index); }

  /// The next file; false at the end. Errors: as EntryReader::next().
  [[nodiscard]] Result<bool> next(DirectoryRecord& record);

 private:
  enum class LongName : std::uint8_t { whole, none, skip, end };
  [[nodiscard]] Result<LongName> read_long_name(std::string& name);

  EntryReader entries_;
};

[[nodiscard]] bool is_free(const DirEntry& entry);

}  // namespace vmfs::fat
