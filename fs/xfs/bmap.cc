// SPDX-License-Identifier: MIT
#include "fs/xfs/bmap.h"

#include <algorithm>
#include <cstddef>

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t max_levels = 9;  // more than 2^48 extents need with the smallest blocks
constexpr std::size_t pointer_size = sizeof(be64);

// Records or keys as they lie in a block: sorted, equally long, each starting with a file block.
struct Record {
  std::uint64_t file_block;
  std::uint64_t start;
  std::uint64_t count;
  bool unwritten;
};

Record record_at(std::span<const std::byte> records, std::size_t index) {
  const auto raw = from_bytes<BmbtRec>(records.subspan(index * sizeof(BmbtRec)));
  const std::uint64_t high = raw.l0;
  const std::uint64_t low = raw.l1;
  return {.file_block = (high >> 9) & ((1ULL << 54) - 1),
          .start = (high & 0x1ff) << 43 | low >> 21,
          .count = low & ((1ULL << 21) - 1),
          .unwritten = high >> 63 != 0};
}

std::string name_of(const ForkMap& map) {
  return fmt::format("inode {}: {} fork", map.inode, map.attributes ? "attribute" : "data");
}

Result<Mapping> mapping_of(const Volume& volume, const ForkMap& map, const Record& record,
                           std::uint64_t block) {
  const auto offset = volume.geometry.offset_of(FsBlock{record.start}, record.count);
  if (record.count == 0 || !offset || (record.unwritten && map.attributes) ||
      record.file_block > max_file_blocks - record.count)
    return corrupt("{}: extent at {} of {} blocks from {:#x}", name_of(map), record.file_block, record.count,
                   record.start);
  const std::uint64_t skip = block - record.file_block;
  return Mapping{.file_block = block,
                 .count = record.count - skip,
                 .offset = *offset + (skip << volume.geometry.block_log),
                 .state = record.unwritten ? Mapping::State::unwritten : Mapping::State::written};
}

// Looks in a sorted array of records; a hole ends at `limit` at the latest.
Result<Mapping> find_in_records(const Volume& volume, const ForkMap& map, std::span<const std::byte> records,
                                std::uint64_t block, std::uint64_t limit) {
  std::size_t low = 0;
  std::size_t high = records.size() / sizeof(BmbtRec);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (record_at(records, middle).file_block <= block)
      low = middle + 1;
    else
      high = middle;
  }
  if (low > 0) {
    const Record record = record_at(records, low - 1);
    if (record.count == 0 || block - record.file_block < record.count)
      return mapping_of(volume, map, record, block);
  }
  std::uint64_t end = limit;
  if (low < records.size() / sizeof(BmbtRec)) end = std::min(end, record_at(records, low).file_block);
  // Out of order, only a damaged tree leads here.
  if (end <= block) return corrupt("{}: extents out of order at {}", name_of(map), block);
  return Mapping{.file_block = block, .count = end - block};
}

Result<void> check_block(const Volume& volume, const ForkMap& map, std::span<const std::byte> bytes,
                         std::uint64_t offset, std::uint32_t level) {
  const Geometry& g = volume.geometry;
  const auto header = from_bytes<BtreeLblock>(bytes);
  const std::string what = fmt::format("{}: tree block at {}", name_of(map), offset);
  if (header.bb_magic != (g.v5 ? bmap_crc_magic : bmap_magic))
    return corrupt("{}: bb_magic {:#010x}", what, std::uint32_t{header.bb_magic});
  if (header.bb_level != level)
    return corrupt("{}: bb_level {} instead of {}", what, std::uint16_t{header.bb_level}, level);
  const std::size_t room = g.block_size - (g.v5 ? sizeof(BtreeLblock) : btree_lblock_v4_size);
  const std::size_t count = header.bb_numrecs;
  if (count == 0 || count > room / sizeof(BmbtRec)) return corrupt("{}: bb_numrecs {}", what, count);
  if (!g.v5) return {};
  const SelfDescription self{.crc_field = offsetof(BtreeLblock, bb_crc),
                             .crc = header.bb_crc,
                             .blkno = header.bb_blkno,
                             .owner = header.bb_owner,
                             .uuid = header.bb_uuid};
  return check_self(volume, bytes, self, offset, map.inode, what);
}

Result<Block> read_tree_block(const Volume& volume, const ForkMap& map, std::uint64_t pointer,
                              std::uint32_t level) {
  const auto offset = volume.geometry.offset_of(FsBlock{pointer}, 1);
  if (!offset) return corrupt("{}: tree pointer {:#x}", name_of(map), pointer);
  // One bit tells the forks apart and four the levels: a block found sound as one is not sound as another.
  const BlockKey key{.owner = map.inode << 5 | (map.attributes ? 16U : 0U) | level,
                     .number = *offset,
                     .kind = BlockKind::bmap};
  if (auto cached = volume.cache.find(key)) return *std::move(cached);
  Block block(volume.geometry.block_size);
  TRY(read(*volume.source, *offset, block.writable()));
  TRY(check_block(volume, map, block.bytes(), *offset, level));
  volume.cache.insert(key, block);
  return block;
}

// The keys of a node and, `pointers` bytes behind the first of them, as many pointers.
struct Node {
  std::span<const std::byte> bytes;  // from the first key on
  std::size_t count;
  std::size_t pointers;

  [[nodiscard]] std::uint64_t key(std::size_t index) const {
    return from_bytes<be64>(bytes.subspan(index * sizeof(be64)));
  }
  [[nodiscard]] std::uint64_t pointer(std::size_t index) const {
    return from_bytes<be64>(bytes.subspan(pointers + index * pointer_size));
  }
};

// The child that covers `block`; what lies behind the child's end is no longer its business.
std::uint64_t choose(const Node& node, std::uint64_t block, std::uint64_t& limit) {
  std::size_t low = 1;
  std::size_t high = node.count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (node.key(middle) <= block)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < node.count) limit = std::min(limit, node.key(low));
  return node.pointer(low - 1);
}

Result<Mapping> find_in_tree(const Volume& volume, const ForkMap& map, std::uint64_t file_block) {
  const Geometry& g = volume.geometry;
  const std::span<const std::byte> root = map.fork.bytes;
  if (root.size() < sizeof(BmdrBlock)) return corrupt("{}: no room for a tree root", name_of(map));
  const auto header = from_bytes<BmdrBlock>(root);
  std::uint32_t level = header.bb_level;
  const std::size_t room = (root.size() - sizeof(BmdrBlock)) / (sizeof(be64) + pointer_size);
  if (level == 0 || level > max_levels || header.bb_numrecs == 0 || header.bb_numrecs > room)
    return corrupt("{}: tree root of level {} with {} records", name_of(map), level,
                   std::uint16_t{header.bb_numrecs});
  std::uint64_t limit = max_file_blocks;
  const Node node{root.subspan(sizeof(BmdrBlock)), header.bb_numrecs, room * sizeof(be64)};
  std::uint64_t child = choose(node, file_block, limit);
  const std::size_t start = g.v5 ? sizeof(BtreeLblock) : btree_lblock_v4_size;
  while (true) {
    const Block block = TRY(read_tree_block(volume, map, child, --level));
    const std::size_t count = from_bytes<BtreeLblock>(block.bytes()).bb_numrecs;
    const auto records = block.bytes().subspan(start);
    if (level == 0)
      return find_in_records(volume, map, records.first(count * sizeof(BmbtRec)), file_block, limit);
    const std::size_t most = records.size() / (sizeof(be64) + pointer_size);
    child = choose(Node{records, count, most * sizeof(be64)}, file_block, limit);
  }
}

}  // namespace

Result<Mapping> find_mapping(const Volume& volume, const ForkMap& map, std::uint64_t file_block) {
  if (file_block >= max_file_blocks) return corrupt("{}: no block {}", name_of(map), file_block);
  if (map.fork.format == ForkFormat::btree) return find_in_tree(volume, map, file_block);
  if (map.fork.format != ForkFormat::extents) return corrupt("{}: has no extents", name_of(map));
  const auto size = static_cast<std::size_t>(map.fork.extents) * sizeof(BmbtRec);
  return find_in_records(volume, map, map.fork.bytes.first(size), file_block, max_file_blocks);
}

Result<std::uint64_t> read_fork(const Volume& volume, const ForkMap& map, std::uint64_t file_block,
                                std::span<std::byte> into) {
  std::uint64_t first = 0;
  bool started = false;
  while (!into.empty()) {
    const Mapping mapping = TRY(find_mapping(volume, map, file_block));
    if (mapping.state != Mapping::State::written)
      return corrupt("{}: block {} is not there", name_of(map), file_block);
    const auto length = static_cast<std::size_t>(
        std::min<std::uint64_t>(into.size(), mapping.count << volume.geometry.block_log));
    TRY(read(*volume.source, mapping.offset, into.first(length)));
    if (!started) first = mapping.offset;
    started = true;
    into = into.subspan(length);
    file_block += length >> volume.geometry.block_log;
  }
  return first;
}

}  // namespace vmfs::xfs
