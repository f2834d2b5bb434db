// SPDX-License-Identifier: MIT
#include "fs/xfs/attr.h"

#include <algorithm>
#include <cstddef>

#include "fs/xfs/da.h"

namespace vmfs::xfs {
namespace {

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Attributes in the inode. They have no flags for local and incomplete.
Result<void> visit_short(const InodeCore& inode, const AttrVisitor& visit) {
  std::span<const std::byte> bytes = inode.attr.bytes;
  const auto damaged = [&](unsigned index) {
    return corrupt("inode {}: attribute {} in the inode has a bad length", inode.number, index);
  };
  if (bytes.size() < sizeof(AttrSfHdr)) return damaged(0);
  const auto header = from_bytes<AttrSfHdr>(bytes);
  if (header.totsize < sizeof(AttrSfHdr) || header.totsize > bytes.size()) return damaged(0);
  bytes = bytes.first(header.totsize).subspan(sizeof(AttrSfHdr));
  for (unsigned i = 0; i < header.count; ++i) {
    if (bytes.size() < sizeof(AttrSfEntry)) return damaged(i);
    const auto head = from_bytes<AttrSfEntry>(bytes);
    const std::size_t size = sizeof(AttrSfEntry) + head.namelen + head.valuelen;
    if (head.namelen == 0 || size > bytes.size()) return damaged(i);
    const AttrEntry entry{.name = text(bytes.subspan(sizeof(AttrSfEntry), head.namelen)),
                          .flags = head.flags,
                          .value = text(bytes.subspan(sizeof(AttrSfEntry) + head.namelen, head.valuelen))};
    if (!TRY(visit(entry))) return {};
    bytes = bytes.subspan(size);
  }
  return {};
}

// Entry `index` of a leaf.
Result<AttrEntry> leaf_entry(const InodeCore& inode, const DaBlock& leaf, std::uint32_t index) {
  const std::span<const std::byte> bytes = leaf.block.bytes();
  const auto head = from_bytes<AttrLeafEntry>(leaf.entries.subspan(index * sizeof(AttrLeafEntry)));
  const auto damaged = [&] {
    return corrupt("inode {}: attribute block {}: entry {}: nameidx {} or a length is bad", inode.number,
                   leaf.number, index, std::uint16_t{head.nameidx});
  };
  // Names lie behind the entries.
  const auto names = static_cast<std::size_t>(leaf.entries.data() - bytes.data()) + leaf.entries.size();
  if (head.nameidx < names || head.nameidx > bytes.size() - sizeof(AttrLeafNameLocal)) return damaged();
  const auto at = bytes.subspan(head.nameidx);
  AttrEntry entry{.flags = head.flags, .local = (head.flags & attr_flag::local) != 0};
  if (entry.local) {
    const auto local = from_bytes<AttrLeafNameLocal>(at);
    const std::size_t size = sizeof local + local.namelen + local.valuelen;
    if (local.namelen == 0 || size > at.size()) return damaged();
    entry.name = text(at.subspan(sizeof local, local.namelen));
    entry.value = text(at.subspan(sizeof local + local.namelen, local.valuelen));
  } else {
    if (at.size() < sizeof(AttrLeafNameRemote)) return damaged();
    const auto remote = from_bytes<AttrLeafNameRemote>(at);
    if (remote.namelen == 0 || sizeof remote + remote.namelen > at.size()) return damaged();
    entry.name = text(at.subspan(sizeof remote, remote.namelen));
    entry.remote_block = remote.valueblk;
    entry.remote_length = remote.valuelen;
  }
  return entry;
}

// The entries of a leaf from `first` on, all of them or those of one hash. False: the visitor has enough.
Result<bool> visit_leaf(const InodeCore& inode, const DaBlock& leaf, const std::uint32_t* hash,
                        const AttrVisitor& visit) {
  for (std::uint32_t i = hash != nullptr ? first_not_below(leaf.entries, *hash) : 0; i < leaf.count; ++i) {
    if (hash != nullptr && leaf.hash(i) != *hash) break;
    const AttrEntry entry = TRY(leaf_entry(inode, leaf, i));
    // Being written when the machine stopped: never shown.
    if ((entry.flags & attr_flag::incomplete) != 0) continue;
    if (!TRY(visit(entry))) return false;
  }
  return true;
}

Result<void> visit_tree(const Volume& volume, const InodeCore& inode, const std::uint32_t* hash,
                        const AttrVisitor& visit) {
  const DaTree tree = DaTree::attributes(volume, inode);
  DaBlock leaf = TRY(tree.find_leaf(hash != nullptr ? *hash : 0));
  const std::uint64_t first = leaf.number;
  while (true) {
    if (!TRY(visit_leaf(inode, leaf, hash, visit))) return {};
    if (hash != nullptr && leaf.count != 0 && leaf.hash(leaf.count - 1) != *hash) return {};
    auto next = TRY(tree.next_leaf(leaf, first));
    if (!next) return {};
    leaf = *std::move(next);
  }
}

// Without extents an attribute fork is empty: its last attribute was removed.
bool has_attributes(const InodeCore& inode) {
  return !inode.attr.bytes.empty() && (inode.attr.format == ForkFormat::local || inode.attr.extents != 0);
}

Result<void> check_remote(const Volume& volume, const InodeCore& inode, std::span<const std::byte> bytes,
                          std::uint64_t offset, std::size_t position, std::size_t length) {
  const auto header = from_bytes<Attr3RmtHdr>(bytes);
  const std::string what = fmt::format("inode {}: attribute value block at {}", inode.number, offset);
  if (header.rm_magic != attr_remote_magic)
    return corrupt("{}: rm_magic {:#010x}", what, std::uint32_t{header.rm_magic});
  const SelfDescription self{.crc_field = offsetof(Attr3RmtHdr, rm_crc),
                             .crc = header.rm_crc,
                             .blkno = header.rm_blkno,
                             .owner = header.rm_owner,
                             .uuid = header.rm_uuid};
  TRY(check_self(volume, bytes, self, offset, inode.number, what));
  if (header.rm_offset != position || header.rm_bytes != length)
    return corrupt("{}: rm_offset {}, rm_bytes {}", what, std::uint32_t{header.rm_offset},
                   std::uint32_t{header.rm_bytes});
  return {};
}

constexpr std::uint32_t spaces = attr_flag::root | attr_flag::secure | attr_flag::parent;

bool same(const FinishedAttribute& changed, const AttrEntry& entry) {
  return changed.name == entry.name && changed.space == (entry.flags & spaces);
}

Result<void> visit_disk(const Volume& volume, const InodeCore& inode, const std::uint32_t* hash,
                        const AttrVisitor& visit) {
  if (!has_attributes(inode)) return {};
  if (inode.attr.format == ForkFormat::local) return visit_short(inode, visit);
  return visit_tree(volume, inode, hash, visit);
}

// With what the log's intents make of them.
Result<void> visit_all(const Volume& volume, const InodeCore& inode, const std::uint32_t* hash,
                       const AttrVisitor& visit) {
  const auto finished = volume.finished.find(inode.number);
  if (finished == volume.finished.end()) return visit_disk(volume, inode, hash, visit);
  const auto& changes = finished->second.attributes;
  bool more = true;
  const AttrVisitor unchanged = [&](const AttrEntry& entry) -> Result<bool> {
    if (std::ranges::any_of(changes, [&](const auto& change) { return same(change, entry); })) return true;
    more = TRY(visit(entry));
    return more;
  };
  TRY(visit_disk(volume, inode, hash, unchanged));
  for (const FinishedAttribute& change : changes) {
    if (more && change.value)
      more = TRY(visit({.name = change.name, .flags = change.space, .value = *change.value}));
  }
  return {};
}

}  // namespace

Result<void> visit_attributes(const Volume& volume, const InodeCore& inode, const AttrVisitor& visit) {
  return visit_all(volume, inode, nullptr, visit);
}

Result<void> visit_attributes_named(const Volume& volume, const InodeCore& inode, std::string_view name,
                                    const AttrVisitor& visit) {
  const std::uint32_t hash = hash_name(name);
  return visit_all(volume, inode, &hash, visit);
}

Result<std::string> attribute_value(const Volume& volume, const InodeCore& inode, const AttrEntry& entry) {
  if (entry.local) return std::string(entry.value);
  const std::size_t length = entry.remote_length;
  if (length > attr_value_max) return corrupt("inode {}: attribute value of {} bytes", inode.number, length);
  const Geometry& g = volume.geometry;
  const std::size_t header = g.v5 ? sizeof(Attr3RmtHdr) : 0;
  const ForkMap map = attr_map(inode);
  std::string value;
  value.reserve(length);
  std::vector<std::byte> block(g.block_size);
  for (std::uint64_t number = entry.remote_block; value.size() < length; ++number) {
    const std::uint64_t offset = TRY(read_fork(volume, map, number, block));
    const std::size_t part = std::min<std::size_t>(length - value.size(), g.block_size - header);
    if (g.v5) TRY(check_remote(volume, inode, block, offset, value.size(), part));
    value += text(std::span(block).subspan(header, part));
  }
  return value;
}

}  // namespace vmfs::xfs
