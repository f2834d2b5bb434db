// SPDX-License-Identifier: MIT
#include "fs/xfs/dir.h"

#include <algorithm>
#include <array>
#include <bit>

#include <dirent.h>

#include "fs/xfs/da.h"
#include "fs/xfs/dir_sf.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t address_unit = 8;  // of the index: bytes

constexpr std::array<unsigned char, 9> types = {DT_UNKNOWN, DT_REG,  DT_DIR, DT_CHR, DT_BLK,
                                                DT_FIFO,    DT_SOCK, DT_LNK, 14 /* DT_WHT */};

// Upper case letters of ASCII and Latin-1 (xfs_ascii_ci_xfrm()).
char fold(char c) {
  const auto letter = static_cast<unsigned char>(c);
  const bool upper = (letter >= 'A' && letter <= 'Z') || (letter >= 0xc0 && letter <= 0xd6) ||
                     (letter >= 0xd8 && letter <= 0xde);
  return upper ? static_cast<char>(letter + 0x20) : c;
}

std::uint32_t hash_of(const Geometry& g, std::string_view name) {
  if (!g.ascii_ci) return hash_name(name);
  std::uint32_t hash = 0;
  for (const char c : name) hash = static_cast<unsigned char>(fold(c)) ^ std::rotl(hash, 7);
  return hash;
}

// Looks for one name: an exact match wins over one of another case.
class Search {
 public:
  Search(const Volume& volume, const InodeCore& directory, std::string_view name)
      : volume_(volume), directory_(directory), name_(name), hash_(hash_of(volume.geometry, name)) {}

  [[nodiscard]] std::uint32_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t found() const { return found_; }

  /// Whether the search is over.
  bool look_at(const DirEntry& entry) {
    if (entry.name == name_) {
      found_ = entry.inode;
      return true;
    }
    if (volume_.geometry.ascii_ci && found_ == 0 && std::ranges::equal(entry.name, name_, {}, fold, fold))
      found_ = entry.inode;
    return false;
  }

  /// Looks at the entries of the index from `first` on, as long as the hash is the right one.
  Result<bool> look_at_index(std::span<const std::byte> index, std::size_t first) {
    const Geometry& g = volume_.geometry;
    for (std::size_t i = first * sizeof(DirLeafEntry); i < index.size(); i += sizeof(DirLeafEntry)) {
      const auto entry = from_bytes<DirLeafEntry>(index.subspan(i));
      if (entry.hashval != hash_) return false;
      if (entry.address == 0) continue;
      const std::uint64_t offset = std::uint64_t{entry.address} * address_unit;
      const DirData data = TRY(DirData::read(volume_, directory_, offset >> g.dir_block_log));
      const auto place = static_cast<std::uint32_t>(offset & (g.dir_block_size() - 1));
      if (look_at(TRY(data.at(place)))) return true;
    }
    return false;
  }

 private:
  const Volume& volume_;
  const InodeCore& directory_;
  const std::string_view name_;
  const std::uint32_t hash_;
  std::uint64_t found_ = 0;  // no inode has the number 0
};

Result<void> search_tree(const Volume& volume, const InodeCore& directory, Search& search) {
  const DaTree tree = DaTree::directory(volume, directory);
  DaBlock leaf = TRY(tree.find_leaf(search.hash()));
  const std::uint64_t first = leaf.number;
  while (true) {
    if (TRY(search.look_at_index(leaf.entries, first_not_below(leaf.entries, search.hash())))) return {};
    // Names of one hash may go on in the next leaf.
    if (leaf.count != 0 && leaf.hash(leaf.count - 1) != search.hash()) return {};
    auto next = TRY(tree.next_leaf(leaf, first));
    if (!next) return {};
    leaf = *std::move(next);
  }
}

Result<void> search_directory(const Volume& volume, const InodeCore& directory, Search& search) {
  if (directory.data.format == ForkFormat::local) {
    for (const DirEntry& entry : TRY(short_entries(volume, directory))) {
      if (search.look_at(entry)) break;
    }
    return {};
  }
  const std::uint64_t root = dir_leaf_offset >> volume.geometry.block_log;
  const Mapping index = TRY(find_mapping(volume, data_map(directory), root));
  if (index.state != Mapping::State::hole) return search_tree(volume, directory, search);
  const DirData data = TRY(DirData::read(volume, directory, 0));
  static_cast<void>(TRY(search.look_at_index(data.index(), first_not_below(data.index(), search.hash()))));
  return {};
}

// Shows an entry; false if the visitor has enough.
bool show(const DirEntry& entry, std::uint64_t place, const DirectoryVisitor& visit) {
  return visit(
      {.name = entry.name, .inode = Inode{entry.inode}, .type = types[entry.ftype], .next = place + 1});
}

Result<void> list_short(const Volume& volume, const InodeCore& directory, std::uint64_t cookie,
                        const DirectoryVisitor& visit) {
  for (const DirEntry& entry : TRY(short_entries(volume, directory))) {
    const std::uint64_t place = entry.offset / address_unit;
    if (place >= cookie && !show(entry, place, visit)) break;
  }
  return {};
}

// Shows one data block; false if the visitor has enough.
Result<bool> list_block(const Volume& volume, const InodeCore& directory, std::uint64_t index,
                        std::uint64_t cookie, const DirectoryVisitor& visit) {
  const Geometry& g = volume.geometry;
  const DirData data = TRY(DirData::read(volume, directory, index));
  for (std::uint32_t offset = data_header_size(g);;) {
    const auto entry = TRY(data.next(offset));
    if (!entry) return true;
    const std::uint64_t place = ((index << g.dir_block_log) + entry->offset) / address_unit;
    if (place >= cookie && !show(*entry, place, visit)) return false;
    offset = entry->offset + entry->size;
  }
}

Result<void> list_blocks(const Volume& volume, const InodeCore& directory, std::uint64_t cookie,
                         const DirectoryVisitor& visit) {
  const Geometry& g = volume.geometry;
  if (directory.size > dir_leaf_offset)
    return corrupt("inode {}: directory of {} bytes", directory.number, directory.size);
  const std::uint64_t end = directory.size >> g.dir_block_log;
  const std::uint32_t per_block_log = g.dir_block_log - g.block_log;
  if (cookie > dir_leaf_offset / address_unit) return {};
  std::uint64_t index = cookie * address_unit >> g.dir_block_log;
  while (index < end) {
    const Mapping mapping = TRY(find_mapping(volume, data_map(directory), index << per_block_log));
    const std::uint64_t skipped = mapping.count >> per_block_log;
    if (mapping.state == Mapping::State::hole && skipped != 0) {
      index += skipped;
      continue;
    }
    if (!TRY(list_block(volume, directory, index, cookie, visit))) return {};
    ++index;
  }
  return {};
}

}  // namespace

Result<Inode> lookup_name(const Volume& volume, const InodeCore& directory, std::string_view name) {
  if (name == ".") return Inode{directory.number};
  Search search(volume, directory, name);
  TRY(search_directory(volume, directory, search));
  if (search.found() == 0) return fail(ENOENT, "xfs: inode {}: no entry \"{}\"", directory.number, name);
  return Inode{search.found()};
}

Result<void> list_directory(const Volume& volume, const InodeCore& directory, std::uint64_t cookie,
                            const DirectoryVisitor& visit) {
  if (directory.data.format == ForkFormat::local) return list_short(volume, directory, cookie, visit);
  return list_blocks(volume, directory, cookie, visit);
}

}  // namespace vmfs::xfs
