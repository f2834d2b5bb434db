// SPDX-License-Identifier: MIT
#include "fs/xfs/dir_sf.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint8_t ftype_directory = 2;
constexpr std::uint8_t ftype_max = 9;

// Takes structures and numbers off the front of the directory.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : rest_(bytes) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  std::span<const std::byte> take(std::size_t size) {
    const auto part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }
  std::uint64_t take_inode(std::size_t size) {
    if (size == sizeof(be32)) return from_bytes<be32>(take(size));
    return from_bytes<be64>(take(size)) & ((1ULL << 56) - 1);  // XFS_MAXINUMBER
  }

 private:
  std::span<const std::byte> rest_;
};

std::unexpected<Error> damaged(const InodeCore& directory, std::string_view why) {
  return corrupt("inode {}: directory in the inode: {}", directory.number, why);
}

// The next entry, which must lie at `least` or behind it.
Result<DirEntry> take_entry(const Geometry& g, const InodeCore& directory, Cursor& cursor,
                            std::size_t inode_size, std::uint32_t least) {
  const std::size_t ftype_size = g.ftype ? 1 : 0;
  if (cursor.left() < sizeof(DirSfEntry)) return damaged(directory, "an entry is cut off");
  const auto head = from_bytes<DirSfEntry>(cursor.take(sizeof(DirSfEntry)));
  if (head.namelen == 0 || cursor.left() < head.namelen + ftype_size + inode_size)
    return damaged(directory, "bad length of a name");
  const auto name = cursor.take(head.namelen);
  DirEntry entry{.name = {reinterpret_cast<const char*>(name.data()), name.size()},
                 .offset = head.offset,
                 .size = data_entry_size(g, head.namelen)};
  if (!valid_name(entry.name)) return damaged(directory, "bad name");
  if (g.ftype) entry.ftype = std::to_integer<std::uint8_t>(cursor.take(1)[0]);
  entry.inode = cursor.take_inode(inode_size);
  if (entry.offset < least || entry.ftype >= ftype_max)
    return damaged(directory, "bad offset or file type of an entry");
  if (!g.valid_entry(entry.inode)) return damaged(directory, "bad inode number of an entry");
  return entry;
}

}  // namespace

Result<std::vector<DirEntry>> short_entries(const Volume& volume, const InodeCore& directory) {
  const Geometry& g = volume.geometry;
  Cursor cursor(directory.data.bytes.first(static_cast<std::size_t>(directory.size)));
  if (cursor.left() < sizeof(DirSfHdr)) return damaged(directory, "no header");
  const auto header = from_bytes<DirSfHdr>(cursor.take(sizeof(DirSfHdr)));
  const std::size_t inode_size = header.i8count != 0 ? sizeof(be64) : sizeof(be32);
  if (cursor.left() < inode_size) return damaged(directory, "no parent");
  const std::uint64_t parent = cursor.take_inode(inode_size);
  if (!g.valid_entry(parent)) return damaged(directory, "bad inode number of the parent");

  std::vector<DirEntry> entries;
  entries.reserve(std::size_t{header.count} + 2);
  const std::uint32_t dot = data_header_size(g);
  const std::uint32_t dotdot = dot + data_entry_size(g, 1);
  entries.push_back({.inode = directory.number, .name = ".", .ftype = ftype_directory, .offset = dot});
  entries.push_back({.inode = parent, .name = "..", .ftype = ftype_directory, .offset = dotdot});
  std::uint32_t least = dotdot + data_entry_size(g, 2);
  for (unsigned i = 0; i < header.count; ++i) {
    const DirEntry entry = TRY(take_entry(g, directory, cursor, inode_size, least));
    least = entry.offset + entry.size;
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace vmfs::xfs
