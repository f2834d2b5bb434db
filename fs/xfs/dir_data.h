// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fs/xfs/bmap.h"
#include "fs/xfs/format_da.h"

namespace vmfs::xfs {

/// A name in a directory.
struct DirEntry {
  std::uint64_t inode = 0;
  std::string_view name{};   ///< points into the block
  std::uint8_t ftype = 0;    ///< as on disk; 0 where the directory does not say
  std::uint32_t offset = 0;  ///< in its data block
  std::uint32_t size = 0;    ///< bytes it takes there
};

/// Bytes that an entry with a name of `length` bytes takes in a data block.
[[nodiscard]] std::uint32_t data_entry_size(const Geometry& geometry, std::size_t length);

/// Whether a name can be one: no path, and no end of a string (xfs_dir2_namecheck()).
[[nodiscard]] inline bool valid_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

/// Bytes before the first entry of a data block.
[[nodiscard]] std::uint32_t data_header_size(const Geometry& geometry);

/// A checked data block of a directory.
class DirData {
 public:
  /// Reads data block `index` of `directory`. Errors: EUCLEAN, EIO.
  [[nodiscard]] static Result<DirData> read(const Volume& volume, const InodeCore& directory,
                                            std::uint64_t index);

  /// The first entry at `offset` or behind it, which must be where an entry or free space starts.
  /// Nothing behind the last one.
  [[nodiscard]] Result<std::optional<DirEntry>> next(std::uint32_t offset) const;

  /// The entry at exactly `offset`. Errors: EUCLEAN if there is none.
  [[nodiscard]] Result<DirEntry> at(std::uint32_t offset) const;

  /// The index at the block's end, if it is the directory's only one: entries in the order of their hashes.
  [[nodiscard]] std::span<const std::byte> index() const { return index_; }

 private:
  DirData(const Volume& volume, const InodeCore& directory, std::uint64_t index, Block block)
      : geometry_(&volume.geometry), inode_(directory.number), number_(index), block_(std::move(block)) {}

  [[nodiscard]] Result<void> find_parts();
  [[nodiscard]] Result<void> check_header(const Volume& volume, std::uint64_t offset) const;
  [[nodiscard]] Result<void> check_entries() const;
  [[nodiscard]] std::unexpected<Error> damaged(std::uint32_t offset, std::string_view why) const;

  const Geometry* geometry_;
  std::uint64_t inode_;
  std::uint64_t number_;
  Block block_;
  std::uint32_t end_ = 0;  ///< of the entries
  std::span<const std::byte> index_;
};

}  // namespace vmfs::xfs
