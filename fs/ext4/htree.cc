// SPDX-License-Identifier: MIT
#include "fs/ext4/htree.h"

#include <array>
#include <cerrno>

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t root_info_offset = 24;  // behind the entries "." and ".."
constexpr std::uint32_t node_entries_offset = 8;
constexpr std::uint32_t block_mask = 0x0fffffff;
constexpr std::uint32_t collision = 1;  // in a hash: its names began in the block before

struct RootInfo {
  le32 reserved_zero;
  std::uint8_t hash_version;
  std::uint8_t info_length;
  std::uint8_t indirect_levels;
  std::uint8_t unused_flags;
};
static_assert(sizeof(RootInfo) == 8);

/// The first entry has the counts in place of a hash.
struct IndexEntry {
  le32 hash;
  le32 block;
};
static_assert(sizeof(IndexEntry) == 8);

struct CountLimit {
  le16 limit;
  le16 count;
};
static_assert(sizeof(CountLimit) == 4);

struct IndexTail {
  le32 dt_reserved;
  le32 dt_checksum;
};
static_assert(sizeof(IndexTail) == 8);

/// The entries of an index block: `count` of them lie in `bytes`.
struct Entries {
  std::span<const std::byte> bytes;
  std::uint32_t count = 0;

  [[nodiscard]] IndexEntry at(std::uint32_t index) const {
    return from_bytes<IndexEntry>(bytes.subspan(index * sizeof(IndexEntry)));
  }
  [[nodiscard]] std::uint32_t hash(std::uint32_t index) const { return at(index).hash; }
  [[nodiscard]] std::uint32_t block(std::uint32_t index) const { return at(index).block & block_mask; }
};

/// The entries at `offset` of a block, of which `reserved` bytes are not for entries; nothing where limit or
/// count are impossible.
std::optional<Entries> entries_at(std::span<const std::byte> block, std::uint32_t offset,
                                  std::size_t reserved) {
  const auto counts = from_bytes<CountLimit>(block.subspan(offset));
  const std::size_t limit = (block.size() - offset - reserved) / sizeof(IndexEntry);
  if (counts.limit != limit || counts.count == 0 || counts.count > limit) return std::nullopt;
  return Entries{.bytes = block.subspan(offset), .count = counts.count};
}

/// The way from the root to a leaf: at each level the block of the directory and the entry taken in it.
struct Step {
  std::uint32_t block = 0;
  std::uint32_t offset = 0;  ///< of the entries
  std::uint32_t index = 0;
};
using Path = std::array<Step, 4>;

/// A walk through the index. Every function answers nothing where the index contradicts itself.
class IndexWalk {
 public:
  IndexWalk(Workspace& workspace, const InodeRecord& directory)
      : workspace_(workspace), directory_(directory) {}

  [[nodiscard]] Result<std::optional<RootInfo>> root() {
    const auto block = TRY(directory_block(workspace_, directory_, 0, BlockRole::directory_index));
    const auto info = from_bytes<RootInfo>(block.subspan(root_info_offset));
    const bool siphash = info.hash_version == hash_siphash;
    const std::uint32_t levels = geometry().has(incompat_largedir) ? 3 : 2;
    if (siphash != has_hash_in_entries(directory_) || (!siphash && info.hash_version > hash_tea) ||
        (info.unused_flags & 1) != 0 || info.indirect_levels >= levels ||
        info.info_length > block.size() - root_info_offset - sizeof(IndexEntry) - sizeof(IndexTail))
      return std::optional<RootInfo>{};
    levels_ = info.indirect_levels;
    path_[0].offset = root_info_offset + info.info_length;
    return std::optional(info);
  }

  /// Goes down to the leaf for `hash`. False where the index is not usable.
  [[nodiscard]] Result<bool> descend(std::uint32_t hash) {
    for (std::uint32_t level = 0;; ++level) {
      const auto entries = TRY(entries_of(level));
      if (!entries) return false;
      path_[level].index = last_at_or_before(*entries, hash);
      const std::uint32_t next = entries->block(path_[level].index);
      for (std::uint32_t above = 0; above <= level; ++above) {
        if (path_[above].block == next) return false;
      }
      leaf_ = next;
      if (level == levels_) return true;
      path_[level + 1] = {.block = next, .offset = node_entries_offset, .index = 0};
    }
  }

  /// Goes on to the next leaf if names with `hash` continue there. Nothing where the index is not usable.
  [[nodiscard]] Result<std::optional<bool>> advance(std::uint32_t hash) {
    for (std::uint32_t up = 0; up <= levels_; ++up) {
      const std::uint32_t level = levels_ - up;
      const auto entries = TRY(entries_of(level));
      if (!entries) return std::optional<bool>{};
      if (path_[level].index + 1 >= entries->count) continue;
      ++path_[level].index;
      if ((entries->hash(path_[level].index) & ~collision) != hash) return std::optional(false);
      const bool found = TRY(descend_first(level, entries->block(path_[level].index)));
      return found ? std::optional(true) : std::optional<bool>{};
    }
    return std::optional(false);
  }

  [[nodiscard]] std::uint32_t leaf() const { return leaf_; }

 private:
  [[nodiscard]] const Geometry& geometry() const { return workspace_.volume().geometry(); }

  [[nodiscard]] Result<std::optional<Entries>> entries_of(std::uint32_t level) {
    const auto block =
        TRY(directory_block(workspace_, directory_, path_[level].block, BlockRole::directory_index));
    std::size_t reserved = geometry().checksums() ? sizeof(IndexTail) : 0;
    // The kernel reckons the empty entry at a node's head with the hashes that the directory's entries have.
    if (level > 0 && has_hash_in_entries(directory_)) reserved += sizeof(NameHash);
    return entries_at(block, path_[level].offset, reserved);
  }

  [[nodiscard]] static std::uint32_t last_at_or_before(const Entries& entries, std::uint32_t hash) {
    std::uint32_t low = 1;
    std::uint32_t high = entries.count;
    while (low < high) {
      // The same middle as the kernel's, so that both find the same in an index whose order is damaged.
      const std::uint32_t middle = low + (high - low - 1) / 2;
      if (entries.hash(middle) > hash) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low - 1;
  }

  /// Takes the first entry of each node from `block` below `level` down.
  [[nodiscard]] Result<bool> descend_first(std::uint32_t level, std::uint32_t block) {
    for (; level < levels_; ++level) {
      path_[level + 1] = {.block = block, .offset = node_entries_offset, .index = 0};
      const auto entries = TRY(entries_of(level + 1));
      if (!entries) return false;
      block = entries->block(0);
    }
    leaf_ = block;
    return true;
  }

  Workspace& workspace_;
  const InodeRecord& directory_;
  Path path_{};
  std::uint32_t levels_ = 0;
  std::uint32_t leaf_ = 0;
};

/// More leaves than this with one hash, and the directory is searched block by block.
constexpr int most_leaves = 1024;

/// Offset of the entries in an index block whose kind only its first entries tell; 0 where it is none.
std::uint32_t entries_offset(const Geometry& geometry, std::span<const std::byte> block) {
  constexpr std::uint32_t dot_length = 12;
  const auto rec_len = [&](std::uint32_t offset) {
    const std::uint32_t length = from_bytes<le16>(block.subspan(offset + 4));
    return geometry.block_size == 65536 && (length == 0 || length == 65535) ? geometry.block_size : length;
  };
  if (rec_len(0) == geometry.block_size) return node_entries_offset;
  std::uint32_t second = rec_len(dot_length);
  if (geometry.block_size == 65536) second = (second & 65532U) | (second & 3U) << 16;
  if (rec_len(0) != dot_length || second != geometry.block_size - dot_length) return 0;
  const auto info = from_bytes<RootInfo>(block.subspan(root_info_offset));
  if (info.reserved_zero != 0 || info.info_length != sizeof(RootInfo)) return 0;
  return root_info_offset + sizeof(RootInfo);
}

}  // namespace

Result<IndexAnswer> find_by_index(Workspace& workspace, const InodeRecord& directory,
                                  const WantedName& wanted) {
  constexpr IndexAnswer unusable{};
  IndexWalk walk(workspace, directory);
  const auto root = TRY(walk.root());
  if (!root) return unusable;
  const auto hash = wanted.hash(workspace.volume(), directory, root->hash_version);
  if (!hash || !TRY(walk.descend(hash->major))) return unusable;
  for (int leaves = 0; leaves < most_leaves; ++leaves) {
    const auto block = TRY(directory_block(workspace, directory, walk.leaf(), BlockRole::directory_leaf));
    const auto found = find_in_region(workspace.volume().geometry(), directory, block, wanted);
    if (!found) return unusable;
    if (*found) return IndexAnswer{.usable = true, .inode = *found};
    const auto more = TRY(walk.advance(hash->major));
    if (!more) return unusable;
    if (!*more) return IndexAnswer{.usable = true, .inode = std::nullopt};
  }
  return unusable;
}

Result<std::optional<std::uint32_t>> leaf_for(Workspace& workspace, const InodeRecord& directory,
                                              const WantedName& wanted) {
  IndexWalk walk(workspace, directory);
  const auto root = TRY(walk.root());
  if (!root) return std::nullopt;
  const auto hash = wanted.hash(workspace.volume(), directory, root->hash_version);
  if (!hash || !TRY(walk.descend(hash->major))) return std::nullopt;
  return walk.leaf();
}

Result<std::optional<std::uint8_t>> index_hash_version(Workspace& workspace, const InodeRecord& directory) {
  const auto root = TRY(IndexWalk(workspace, directory).root());
  return root ? std::optional(root->hash_version) : std::nullopt;
}

Result<void> check_index_block(const Geometry& geometry, const InodeRecord& directory,
                               std::span<const std::byte> block) {
  if (!geometry.checksums()) return {};
  const std::uint32_t offset = entries_offset(geometry, block);
  if (offset == 0)
    return fail(EBADMSG, "ext4: directory inode {}: no checksum in an index block", directory.number);
  const auto counts = from_bytes<CountLimit>(block.subspan(offset));
  const std::size_t tail_offset = offset + counts.limit * sizeof(IndexEntry);
  const std::size_t used = offset + counts.count * sizeof(IndexEntry);
  if (tail_offset > block.size() - sizeof(IndexTail) || counts.count > counts.limit)
    return fail(EBADMSG, "ext4: directory inode {}: index block with {} entries of {}", directory.number,
                std::uint16_t{counts.count}, std::uint16_t{counts.limit});
  const auto tail = from_bytes<IndexTail>(block.subspan(tail_offset));
  std::uint32_t computed = crc32c(directory.checksum_seed, block.first(used));
  computed = crc32c(crc32c(computed, tail.dt_reserved), le32{0});
  if (computed == tail.dt_checksum) return {};
  return fail(EBADMSG, "ext4: directory inode {}: dt_checksum {:#010x} should be {:#010x}", directory.number,
              std::uint32_t{tail.dt_checksum}, computed);
}

}  // namespace vmfs::ext4
