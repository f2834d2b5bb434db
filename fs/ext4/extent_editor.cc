// SPDX-License-Identifier: MIT
#include "fs/ext4/extent_editor.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vmfs::ext4 {
namespace {

constexpr std::size_t entry_size = 12;
constexpr std::size_t root_entries = 4;
constexpr std::uint64_t longest_written = 32768;

struct Header {
  le16 eh_magic;
  le16 eh_entries;
  le16 eh_max;
  le16 eh_depth;
  le32 eh_generation;
};
static_assert(sizeof(Header) == entry_size);

/// An entry of a leaf or of an index.
struct Entry {
  le32 block;
  std::array<std::byte, 8> rest;
};
static_assert(sizeof(Entry) == entry_size);

Entry leaf_entry(const FileExtent& extent) {
  struct {
    le16 ee_len, ee_start_hi;
    le32 ee_start_lo;
  } rest{static_cast<std::uint16_t>(extent.length + (extent.unwritten ? longest_written : 0)),
         static_cast<std::uint16_t>(extent.first >> 32), static_cast<std::uint32_t>(extent.first)};
  return {.block = static_cast<std::uint32_t>(extent.logical),
          .rest = std::bit_cast<std::array<std::byte, 8>>(rest)};
}

Entry index_entry(std::uint32_t logical, std::uint64_t node) {
  struct {
    le32 ei_leaf_lo;
    le16 ei_leaf_hi, ei_unused;
  } rest{static_cast<std::uint32_t>(node), static_cast<std::uint16_t>(node >> 32), 0};
  return {.block = logical, .rest = std::bit_cast<std::array<std::byte, 8>>(rest)};
}

void fill_node(std::span<std::byte> bytes, std::span<const Entry> entries, std::size_t room,
               std::uint16_t depth) {
  const Header header{0xf30a, static_cast<std::uint16_t>(entries.size()), static_cast<std::uint16_t>(room),
                      depth, 0U};
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(std::as_bytes(entries), bytes.subspan(sizeof header).begin());
}

constexpr std::uint64_t longest_of(bool unwritten) {
  return longest_written - (unwritten ? 1 : 0);
}

/// The entries of extents, none of them longer than an entry can be.
std::vector<Entry> leaf_entries(const std::vector<FileExtent>& extents) {
  std::vector<Entry> entries;
  for (const FileExtent& extent : extents) {
    const std::uint64_t longest = longest_of(extent.unwritten);
    for (std::uint64_t done = 0; done < extent.length; done += longest) {
      entries.push_back(leaf_entry({.logical = extent.logical + done,
                                    .first = extent.first + done,
                                    .length = std::min(longest, extent.length - done),
                                    .unwritten = extent.unwritten}));
    }
  }
  return entries;
}

bool goes_on(const FileExtent& extent, const FileExtent& next) {
  return next.logical == extent.logical + extent.length && next.first == extent.first + extent.length &&
         next.unwritten == extent.unwritten && extent.length + next.length <= longest_of(extent.unwritten);
}

using ExtentPlace = std::vector<FileExtent>::iterator;

/// Lets an extent take in those behind it that go on where it ends.
void join_at(std::vector<FileExtent>& extents, ExtentPlace extent) {
  auto next = extent + 1;
  for (; next != extents.end() && goes_on(*extent, *next); ++next) extent->length += next->length;
  extents.erase(extent + 1, next);
}

/// Puts an extent among others that do not reach into it, and joins it with its neighbours.
void insert_extent(std::vector<FileExtent>& extents, const FileExtent& extent) {
  auto place =
      extents.insert(std::ranges::upper_bound(extents, extent.logical, {}, &FileExtent::logical), extent);
  if (place != extents.begin() && goes_on(*(place - 1), *place)) --place;
  join_at(extents, place);
}

std::uint32_t tree_seed(const Geometry& geometry, std::uint32_t number, const DiskInode& fields) {
  return crc32c(crc32c(geometry.checksum_seed, le32{number}), fields.i_generation);
}

}  // namespace

void cut_extents(std::vector<FileExtent>& extents, std::uint64_t logical, std::uint64_t length) {
  const std::uint64_t end = logical + length;
  std::vector<FileExtent> kept;
  kept.reserve(extents.size() + 1);
  for (const FileExtent& extent : extents) {
    const std::uint64_t stop = extent.logical + extent.length;
    FileExtent part = extent;
    if (extent.logical < logical) {
      part.length = std::min(stop, logical) - extent.logical;
      kept.push_back(part);
    }
    if (stop > end) {
      const std::uint64_t skip = std::max(extent.logical, end) - extent.logical;
      kept.push_back({.logical = extent.logical + skip,
                      .first = extent.first + skip,
                      .length = extent.length - skip,
                      .unwritten = extent.unwritten});
    }
  }
  extents = std::move(kept);
}

void put_extent(std::vector<FileExtent>& extents, const FileExtent& extent) {
  cut_extents(extents, extent.logical, extent.length);
  extents.insert(std::ranges::upper_bound(extents, extent.logical, {}, &FileExtent::logical), extent);
}

void join_extents(std::vector<FileExtent>& extents, std::uint64_t end) {
  std::vector<FileExtent> joined;
  joined.reserve(extents.size());
  for (const FileExtent& extent : extents) {
    if (!joined.empty() && joined.back().logical < end && goes_on(joined.back(), extent)) {
      joined.back().length += extent.length;
    } else {
      joined.push_back(extent);
    }
  }
  extents = std::move(joined);
}

std::uint64_t replay_extent(std::vector<FileExtent>& extents, const FileExtent& extent, std::uint64_t end,
                            std::uint64_t most) {
  const std::uint64_t stop = extent.logical + extent.length;
  std::uint64_t passed = extents.size();
  for (std::uint64_t done = 0; done < extent.length && passed <= most;) {
    FileExtent part{.logical = extent.logical + done,
                    .first = extent.first + done,
                    .length = extent.length - done,
                    .unwritten = extent.unwritten};
    const auto next = std::ranges::upper_bound(extents, part.logical, {}, &FileExtent::logical);
    const auto old = next == extents.begin() ? next : next - 1;
    if (old == next || old->logical + old->length <= part.logical) {
      if (next != extents.end()) part.length = std::min(part.length, next->logical - part.logical);
      insert_extent(extents, part);
    } else {
      part.length = std::min(part.length, old->logical + old->length - part.logical);
      const bool moved = old->first + (part.logical - old->logical) != part.first;
      put_extent(extents, part);
      if (!moved) join_extents(extents, stop);
    }
    done += part.length;
    passed += extents.size();
  }
  join_extents(extents, end);
  return passed;
}

void clear_extents(DiskInode& fields) {
  fields.i_block.fill(std::byte{});
  fill_node(fields.i_block, {}, root_entries, 0);
}

Result<void> write_extents(Editor& editor, std::uint32_t number, std::vector<std::byte>& inode,
                           FileExtents& tree, const SpareBlocks& spare) {
  const Geometry& geometry = editor.geometry();
  DiskInode fields = fields_of(inode);
  const std::size_t room = (geometry.block_size - sizeof(Header)) / entry_size;
  std::vector<Entry> entries = leaf_entries(tree.extents);
  std::vector<std::uint64_t> used;
  std::uint16_t depth = 0;
  for (; entries.size() > root_entries; ++depth) {
    std::vector<Entry> above;
    for (std::size_t i = 0; i < entries.size(); i += room) {
      const auto part = std::span(entries).subspan(i, std::min(room, entries.size() - i));
      if (used.size() >= most_extent_nodes) return fail(EFBIG, "ext4: inode {}: too many extents", number);
      const std::uint64_t node = used.size() < tree.nodes.size() ? tree.nodes[used.size()] : TRY(spare());
      used.push_back(node);
      std::vector<std::byte> bytes(geometry.block_size);
      fill_node(bytes, part, room, depth);
      const std::size_t tail = sizeof(Header) + room * entry_size;
      const le32 checksum = crc32c(tree_seed(geometry, number, fields), std::span(bytes).first(tail));
      if (geometry.checksums()) std::memcpy(bytes.data() + tail, &checksum, sizeof checksum);
      TRY(editor.put_block(node, std::move(bytes)));
      above.push_back(index_entry(part.front().block, node));
    }
    entries = std::move(above);
  }
  fields.i_block.fill(std::byte{});
  fill_node(fields.i_block, entries, root_entries, depth);
  set_fields(inode, fields);
  tree.nodes = std::move(used);
  return {};
}

}  // namespace vmfs::ext4
