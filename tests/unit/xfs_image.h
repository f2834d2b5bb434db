// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "fs/xfs/checksum.h"
#include "fs/xfs/format_da.h"
#include "fs/xfs/xfs.h"
#include "tests/tools/sparse_image.h"

namespace vmfs::tests {

/// One of the small images of the fuzz corpus, to be damaged and opened.
class XfsImage {
 public:
  explicit XfsImage(const std::string& name) {
    const char* const source = std::getenv("VMFS_SOURCE");
    if (source == nullptr) throw std::runtime_error("VMFS_SOURCE must name the folder of the sources");
    std::ifstream file(std::filesystem::path(source) / "tests/fuzz/corpus/xfs" / name, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(bytes.empty()) << name;
    disk = SparseImage::parse(std::as_bytes(std::span(bytes)));
    superblock = *read_struct<xfs::Dsb>(*disk, 0);
  }

  [[nodiscard]] Result<std::shared_ptr<const Filesystem>> open(bool recover = true) const {
    return open_xfs(
        disk, {.recover = recover, .warn = [this](const std::string& line) { warnings.push_back(line); }});
  }

  /// The image opened, which must work.
  [[nodiscard]] std::shared_ptr<const Filesystem> opened() const {
    auto filesystem = open();
    EXPECT_TRUE(filesystem) << filesystem.error().what;
    return *filesystem;
  }

  /// Where inode `number` lies.
  [[nodiscard]] std::uint64_t offset_of(Inode inode) const {
    const auto number = static_cast<std::uint64_t>(inode);
    const std::uint64_t block = number >> superblock.sb_inopblog;
    const std::uint64_t group = block >> superblock.sb_agblklog;
    const std::uint64_t in_group = block & ((1ULL << superblock.sb_agblklog) - 1);
    const std::uint64_t index = number & ((1ULL << superblock.sb_inopblog) - 1);
    return ((group * superblock.sb_agblocks + in_group) << superblock.sb_blocklog) +
           (index << superblock.sb_inodelog);
  }

  /// The first sector that has `magic` at `position`, and `owner` at `owner_position`.
  template <class Magic>
  [[nodiscard]] std::uint64_t find(std::uint32_t magic, std::uint64_t position, Inode owner,
                                   std::uint64_t owner_position) const {
    for (std::uint64_t at = 0; at + 512 <= disk->size(); at += 512) {
      if (*read_struct<Magic>(*disk, at + position) == magic &&
          *read_struct<be64>(*disk, at + owner_position) == static_cast<std::uint64_t>(owner))
        return at;
    }
    ADD_FAILURE() << "no block of magic " << magic;
    return 0;
  }

  /// A block of a directory's data, and one of a hash tree.
  [[nodiscard]] std::uint64_t find_data(std::uint32_t magic, Inode owner) const {
    return find<be32>(magic, 0, owner, offsetof(xfs::Dir3DataHdr, owner));
  }
  [[nodiscard]] std::uint64_t find_index(std::uint32_t magic, Inode owner) const {
    return find<be16>(magic, offsetof(xfs::DaBlkinfo, magic), owner, offsetof(xfs::Da3Blkinfo, owner));
  }

  void flip(std::uint64_t offset) const {
    const auto byte = *read_struct<std::uint8_t>(*disk, offset);
    disk->put(offset, static_cast<std::uint8_t>(byte ^ 0x10U));
  }

  /// Makes a structure's checksum right again.
  void seal(std::uint64_t offset, std::size_t size, std::size_t field) const {
    std::vector<std::byte> bytes(size);
    ASSERT_TRUE(read(*disk, offset, bytes));
    disk->put(offset + field, le32{xfs::checksum(bytes, field)});
  }

  std::shared_ptr<SparseImage> disk;
  xfs::Dsb superblock;
  mutable std::vector<std::string> warnings;
};

/// The inode of a path without "..".
inline Inode at(const Filesystem& filesystem, std::string_view path) {
  Inode inode = filesystem.root();
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    const auto found = filesystem.lookup(inode, name);
    EXPECT_TRUE(found) << found.error().what;
    if (!found) return inode;
    inode = *found;
    path.remove_prefix(std::min(path.size(), name.size() + 1));
  }
  return inode;
}

/// All names of a directory, or its error.
inline Result<std::vector<std::string>> names_in(const Filesystem& filesystem, Inode directory) {
  std::vector<std::string> names;
  const auto done = filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return names;
}

template <class T>
int error_of(const Result<T>& result) {
  return result ? 0 : result.error().code;
}

}  // namespace vmfs::tests
