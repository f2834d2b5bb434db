// SPDX-License-Identifier: MIT
#include "fs/ext4/extent_tree.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

namespace vmfs::ext4 {
namespace {

constexpr std::uint16_t extent_magic = 0xf30a;
constexpr std::uint16_t max_depth = 5;
/// Lengths above this are those of unwritten extents, plus this.
constexpr std::uint32_t max_written = 32768;
constexpr std::uint64_t end_of_blocks = std::uint64_t{1} << 32;

struct ExtentHeader {
  le16 eh_magic;
  le16 eh_entries;
  le16 eh_max;
  le16 eh_depth;
  le32 eh_generation;
};
static_assert(sizeof(ExtentHeader) == 12);

struct DiskExtent {
  le32 ee_block;
  le16 ee_len;
  le16 ee_start_hi;
  le32 ee_start_lo;
};
static_assert(sizeof(DiskExtent) == 12);

struct ExtentIndex {
  le32 ei_block;
  le32 ei_leaf_lo;
  le16 ei_leaf_hi;
  le16 ei_unused;
};
static_assert(sizeof(ExtentIndex) == 12);

/// A node whose header was checked: `entries` lie inside `bytes`.
struct Node {
  std::span<const std::byte> bytes;
  std::uint32_t entries = 0;
  std::uint32_t max = 0;

  template <class T>
  [[nodiscard]] T at(std::uint32_t index) const {
    return from_bytes<T>(bytes.subspan(sizeof(ExtentHeader) + index * sizeof(T)));
  }
  /// The block of the file where an entry begins: the first field of both kinds.
  [[nodiscard]] std::uint32_t block_at(std::uint32_t index) const { return at<DiskExtent>(index).ee_block; }
};

struct CheckedExtent {
  std::uint64_t logical = 0;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool unwritten = false;
};

CheckedExtent extent_at(const Node& node, std::uint32_t index) {
  const auto disk = node.at<DiskExtent>(index);
  const std::uint32_t length = disk.ee_len;
  const bool unwritten = length > max_written;
  return {.logical = disk.ee_block,
          .first = std::uint64_t{disk.ee_start_hi} << 32 | disk.ee_start_lo,
          .length = unwritten ? length - max_written : length,
          .unwritten = unwritten};
}

Result<Node> check_header(const InodeRecord& inode, std::span<const std::byte> bytes, std::uint16_t depth) {
  const auto header = from_bytes<ExtentHeader>(bytes);
  const std::size_t room = bytes.size() / sizeof(DiskExtent) - 1;
  if (header.eh_magic != extent_magic)
    return fail(EUCLEAN, "ext4: inode {}: extent header: eh_magic {:#06x}", inode.number,
                std::uint16_t{header.eh_magic});
  if (header.eh_depth != depth || depth > max_depth)
    return fail(EUCLEAN, "ext4: inode {}: extent header: eh_depth {} at depth {}", inode.number,
                std::uint16_t{header.eh_depth}, depth);
  if (header.eh_max == 0 || header.eh_max > room || header.eh_entries > header.eh_max)
    return fail(EUCLEAN, "ext4: inode {}: extent header: {} entries of {}, room for {}", inode.number,
                std::uint16_t{header.eh_entries}, std::uint16_t{header.eh_max}, room);
  if (header.eh_entries == 0 && depth > 0)
    return fail(EUCLEAN, "ext4: inode {}: extent header: no entries at depth {}", inode.number, depth);
  return Node{.bytes = bytes, .entries = header.eh_entries, .max = header.eh_max};
}

/// Extents in order, without overlap, inside the file system.
Result<void> check_extents(const Geometry& geometry, const InodeRecord& inode, const Node& node) {
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < node.entries; ++i) {
    const CheckedExtent extent = extent_at(node, i);
    if (extent.logical < next || extent.length == 0 || extent.length > end_of_blocks - extent.logical)
      return fail(EUCLEAN, "ext4: inode {}: extent of {} blocks at {}, expected at {} or later", inode.number,
                  extent.length, extent.logical, next);
    if (!geometry.contains(extent.first, extent.length))
      return fail(EUCLEAN, "ext4: inode {}: extent of {} blocks from {} of {}", inode.number, extent.length,
                  extent.first, geometry.block_count);
    next = extent.logical + extent.length;
  }
  return {};
}

Result<void> check_index(const InodeRecord& inode, const Node& node) {
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < node.entries; ++i) {
    const std::uint64_t block = node.block_at(i);
    if (block < next)
      return fail(EUCLEAN, "ext4: inode {}: extent index at {}, expected at {} or later", inode.number, block,
                  next);
    next = block + 1;
  }
  return {};
}

Result<void> check_entries(const Geometry& geometry, const InodeRecord& inode, const Node& node,
                           std::uint16_t depth) {
  return depth == 0 ? check_extents(geometry, inode, node) : check_index(inode, node);
}

Result<void> check_checksum(const Geometry& geometry, const InodeRecord& inode, const Node& node) {
  if (!geometry.checksums()) return {};
  const std::size_t tail = sizeof(ExtentHeader) + node.max * sizeof(DiskExtent);
  if (tail > node.bytes.size() - sizeof(le32))
    return fail(EUCLEAN, "ext4: inode {}: extent header: eh_max {} leaves no checksum", inode.number,
                node.max);
  const std::uint32_t stored = from_bytes<le32>(node.bytes.subspan(tail));
  const std::uint32_t computed = crc32c(inode.checksum_seed, node.bytes.first(tail));
  if (stored == computed) return {};
  return fail(EBADMSG, "ext4: inode {}: extent block: et_checksum {:#010x} should be {:#010x}", inode.number,
              stored, computed);
}

/// The child at block `number`, whose first entry is for block `logical` of the file.
Result<Node> child(Workspace& workspace, const InodeRecord& inode, std::uint64_t number,
                   std::uint32_t logical, std::uint16_t depth) {
  const CachedBlock block = TRY(workspace.block(Block{number}));
  const Node node = TRY(check_header(inode, block.bytes, depth));
  const std::uint64_t role = checked_as(BlockRole::extent_node, inode.number);
  if (*block.checked != role) {
    TRY(check_checksum(workspace.volume().geometry(), inode, node));
    TRY(check_entries(workspace.volume().geometry(), inode, node, depth));
    *block.checked = role;
  }
  if (node.entries > 0 && node.block_at(0) != logical)
    return fail(EUCLEAN, "ext4: inode {}: extent block {} begins at {} instead of {}", inode.number, number,
                node.block_at(0), logical);
  return node;
}

/// Index of the last entry at or before `logical`; `node.entries` if there is none.
std::uint32_t find_entry(const Node& node, std::uint64_t logical) {
  std::uint32_t low = 0;
  std::uint32_t high = node.entries;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (node.block_at(middle) <= logical) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? node.entries : low - 1;
}

/// The run at `logical` in a leaf that answers for blocks below `end`; merges extents that go on where one
/// ends. With `read_unwritten`, extents are data whether written or not.
Run run_in_leaf(const Node& leaf, bool read_unwritten, std::uint64_t logical, std::uint64_t end,
                std::uint64_t max_length) {
  std::uint32_t index = find_entry(leaf, logical);
  std::uint32_t next = index == leaf.entries ? 0 : index + 1;
  if (index < leaf.entries) {
    CheckedExtent extent = extent_at(leaf, index);
    const std::uint64_t skip = logical - extent.logical;
    if (skip < extent.length && (!extent.unwritten || read_unwritten)) {
      Run run{.hole = false, .first = extent.first + skip, .length = extent.length - skip};
      for (; next < leaf.entries && run.length < max_length; ++next) {
        extent = extent_at(leaf, next);
        if ((extent.unwritten && !read_unwritten) || extent.logical != logical + run.length ||
            extent.first != run.first + run.length)
          break;
        run.length += extent.length;
      }
      run.length = std::min(run.length, max_length);
      return run;
    }
  }
  while (next < leaf.entries && extent_at(leaf, next).unwritten && !read_unwritten) ++next;
  if (next < leaf.entries) end = extent_at(leaf, next).logical;
  return {.length = std::min(max_length, end > logical ? end - logical : 1)};
}

Result<void> list_node(Workspace& workspace, const InodeRecord& inode, const Node& node, std::uint16_t depth,
                       std::size_t most, FileExtents& found) {
  // Its block may leave the cache while those below it are read.
  const std::vector<std::byte> bytes(node.bytes.begin(), node.bytes.end());
  const Node kept{.bytes = bytes, .entries = node.entries, .max = node.max};
  for (std::uint32_t i = 0; i < kept.entries; ++i) {
    if (depth == 0) {
      const CheckedExtent extent = extent_at(kept, i);
      found.extents.push_back({.logical = extent.logical,
                               .first = extent.first,
                               .length = extent.length,
                               .unwritten = extent.unwritten});
      continue;
    }
    const auto entry = kept.at<ExtentIndex>(i);
    const std::uint64_t number = std::uint64_t{entry.ei_leaf_hi} << 32 | entry.ei_leaf_lo;
    if (found.nodes.size() >= most)
      return fail(EFBIG, "ext4: inode {}: more than {} nodes of extents", inode.number, most);
    found.nodes.push_back(number);
    const auto below = static_cast<std::uint16_t>(depth - 1);
    const Node next = TRY(child(workspace, inode, number, entry.ei_block, below));
    TRY(list_node(workspace, inode, next, below, most, found));
  }
  return {};
}

}  // namespace

Result<FileExtents> list_extents(Workspace& workspace, const InodeRecord& inode, std::size_t most) {
  const std::uint16_t depth = from_bytes<ExtentHeader>(inode.i_block).eh_depth;
  const Node root = TRY(check_header(inode, inode.i_block, depth));
  TRY(check_entries(workspace.volume().geometry(), inode, root, depth));
  FileExtents found;
  TRY(list_node(workspace, inode, root, depth, most, found));
  return found;
}

Result<Run> map_by_extents(Workspace& workspace, const InodeRecord& inode, std::uint64_t logical,
                           std::uint64_t max_length) {
  if (logical >= end_of_blocks) return Run{.length = max_length};
  std::uint16_t depth = from_bytes<ExtentHeader>(inode.i_block).eh_depth;
  Node node = TRY(check_header(inode, inode.i_block, depth));
  TRY(check_entries(workspace.volume().geometry(), inode, node, depth));
  std::uint64_t end = end_of_blocks;
  while (depth > 0) {
    std::uint32_t index = find_entry(node, logical);
    if (index == node.entries) return Run{.length = std::min(max_length, node.block_at(0) - logical)};
    if (index + 1 < node.entries) end = node.block_at(index + 1);
    const auto entry = node.at<ExtentIndex>(index);
    const std::uint64_t number = std::uint64_t{entry.ei_leaf_hi} << 32 | entry.ei_leaf_lo;
    node = TRY(child(workspace, inode, number, entry.ei_block, --depth));
  }
  // The kernel reads blocks of directories and links without a look at this mark.
  return run_in_leaf(node, !inode.is(S_IFREG), logical, end, max_length);
}

}  // namespace vmfs::ext4
