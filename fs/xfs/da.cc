// SPDX-License-Identifier: MIT
#include "fs/xfs/da.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t max_depth = 5;  // XFS_DA_NODE_MAXDEPTH
constexpr std::size_t entry_size = 8;

std::uint32_t byte(char c) {
  return static_cast<unsigned char>(c);
}

std::uint32_t version4_magic(std::uint32_t magic) {
  switch (magic) {
    case da_magic::node3:
      return da_magic::node;
    case da_magic::attr3_leaf:
      return da_magic::attr_leaf;
    case da_magic::dir3_leaf1:
      return da_magic::dir_leaf1;
    case da_magic::dir3_leafn:
      return da_magic::dir_leafn;
    default:
      return 0;
  }
}

}  // namespace

std::uint32_t hash_name(std::string_view name) {
  std::uint32_t hash = 0;
  for (; name.size() >= 4; name.remove_prefix(4)) {
    hash =
        byte(name[0]) << 21 ^ byte(name[1]) << 14 ^ byte(name[2]) << 7 ^ byte(name[3]) ^ std::rotl(hash, 28);
  }
  for (const char c : name) hash = byte(c) ^ std::rotl(hash, 7);
  return hash;
}

std::uint32_t first_not_below(std::span<const std::byte> entries, std::uint32_t hash) {
  std::size_t low = 0;
  std::size_t high = entries.size() / entry_size;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (from_bytes<be32>(entries.subspan(middle * entry_size)) < hash)
      low = middle + 1;
    else
      high = middle;
  }
  return static_cast<std::uint32_t>(low);
}

DaTree DaTree::directory(const Volume& volume, const InodeCore& inode) {
  const Geometry& g = volume.geometry;
  return {volume, data_map(inode), dir_leaf_offset >> g.block_log, g.dir_block_log, BlockKind::dir_index};
}

DaTree DaTree::attributes(const Volume& volume, const InodeCore& inode) {
  return {volume, attr_map(inode), 0, volume.geometry.block_log, BlockKind::attr};
}

std::string DaTree::name(std::uint64_t number) const {
  return fmt::format("inode {}: {} block {}", map_.inode,
                     kind_ == BlockKind::attr ? "attribute" : "directory index", number);
}

bool DaTree::accepts(std::uint32_t magic) const {
  if (magic == da_magic::node) return true;
  if (kind_ == BlockKind::attr) return magic == da_magic::attr_leaf;
  return magic == da_magic::dir_leaf1 || magic == da_magic::dir_leafn;
}

Result<DaBlock> DaTree::parse(Block block, std::uint64_t number) const {
  DaBlock da{.block = std::move(block), .number = number};
  const std::span<const std::byte> bytes = da.block.bytes();
  const bool v5 = volume_.geometry.v5;
  const auto info = from_bytes<DaBlkinfo>(bytes);
  da.magic = v5 ? version4_magic(info.magic) : std::uint32_t{info.magic};
  if (!accepts(da.magic)) return corrupt("{}: magic {:#06x}", name(number), std::uint16_t{info.magic});
  da.forw = info.forw;
  da.back = info.back;
  const std::size_t start = v5 ? sizeof(Da3Blkinfo) : sizeof(DaBlkinfo);
  const auto counts = from_bytes<DaNodeCount>(bytes.subspan(start));
  da.count = counts.count;
  if (da.magic == da_magic::node) da.level = counts.level;
  const std::size_t header = da.magic == da_magic::attr_leaf ? sizeof(AttrLeafCount) : sizeof(DaNodeCount);
  da.entries = bytes.subspan(start + header + (v5 ? 4 : 0));
  if (da.count > da.entries.size() / entry_size) return corrupt("{}: count {}", name(number), da.count);
  da.entries = da.entries.first(da.count * entry_size);
  return da;
}

Result<void> DaTree::check(const DaBlock& da, std::uint64_t offset) const {
  if (volume_.geometry.v5) {
    const auto info = from_bytes<Da3Blkinfo>(da.block.bytes());
    const SelfDescription self{.crc_field = offsetof(Da3Blkinfo, crc),
                               .crc = info.crc,
                               .blkno = info.blkno,
                               .owner = info.owner,
                               .uuid = info.uuid};
    TRY(check_self(volume_, da.block.bytes(), self, offset, map_.inode, name(da.number)));
  }
  if (da.magic == da_magic::node && (da.count == 0 || da.level == 0 || da.level > max_depth))
    return corrupt("{}: count {}, level {}", name(da.number), da.count, da.level);
  for (std::uint32_t i = 1; i < da.count; ++i) {
    if (da.hash(i) < da.hash(i - 1)) return corrupt("{}: entry {} out of order", name(da.number), i);
  }
  return {};
}

Result<DaBlock> DaTree::read_block(std::uint64_t number) const {
  const BlockKey key{.owner = map_.inode, .number = number, .kind = kind_};
  if (auto cached = volume_.cache.find(key)) return parse(*std::move(cached), number);
  Block block(std::size_t{1} << block_log_);
  const std::uint64_t offset = TRY(read_fork(volume_, map_, number, block.writable()));
  DaBlock da = TRY(parse(block, number));
  TRY(check(da, offset));
  volume_.cache.insert(key, block);
  return da;
}

Result<DaBlock> DaTree::find_leaf(std::uint32_t hash) const {
  DaBlock da = TRY(read_block(root_));
  std::uint32_t expected = da.level;
  while (da.magic == da_magic::node) {
    if (da.level != expected || expected == 0)
      return corrupt("{}: level {} instead of {}", name(da.number), da.level, expected);
    const std::uint32_t index = std::min(first_not_below(da.entries, hash), da.count - 1);
    const std::uint64_t child = from_bytes<DaNodeEntry>(da.entries.subspan(index * entry_size)).before;
    --expected;
    da = TRY(read_block(child));
  }
  if (expected != 0) return corrupt("{}: a leaf at level {}", name(da.number), expected);
  return da;
}

Result<std::optional<DaBlock>> DaTree::next_leaf(const DaBlock& leaf, std::uint64_t first) const {
  if (leaf.forw == 0) return std::optional<DaBlock>{};
  DaBlock next = TRY(read_block(leaf.forw));
  // Each leaf points back to one other, so the only one that a ring could come back to is the first.
  if (next.magic != leaf.magic || next.back != leaf.number || next.number == first)
    return corrupt("{}: not the one after {}", name(next.number), leaf.number);
  return next;
}

}  // namespace vmfs::xfs
