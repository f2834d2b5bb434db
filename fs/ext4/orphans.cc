// SPDX-License-Identifier: MIT
#include "fs/ext4/orphans.h"

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <unordered_set>

#include <sys/stat.h>

#include "fs/ext4/block_map.h"
#include "fs/ext4/inode.h"

namespace vmfs::ext4 {
namespace {

constexpr std::size_t most_orphans = std::size_t{1} << 20;
constexpr std::uint32_t orphan_block_magic = 0x0b10ca04;

/// At the end of each block of the orphan file.
struct OrphanTail {
  le32 ob_magic;
  le32 ob_checksum;
};
static_assert(sizeof(OrphanTail) == 8);

class Cleanup {
 public:
  explicit Cleanup(Editor& editor) : editor_(editor), geometry_(editor.geometry()) {}

  /// Follows the list that begins in the superblock; its links lie in the inodes' i_dtime.
  Result<void> list(std::uint32_t first) {
    for (std::uint32_t number = first; number != 0;) number = TRY(orphan(number));
    return {};
  }

  Result<void> file(std::uint32_t number) {
    Workspace workspace = editor_.workspace();
    const InodeRecord inode = TRY(read_inode(workspace, number));
    const std::uint64_t blocks = inode.attributes.size / geometry_.block_size;
    for (std::uint64_t block = 0; block < blocks;) {
      const Run run = TRY(map_blocks(workspace, inode, block, blocks - block));
      if (run.hole) return fail(EUCLEAN, "ext4: orphan file: a hole at block {}", block);
      for (std::uint64_t i = 0; i < run.length; ++i) TRY(file_block(inode, run.first + i));
      block += run.length;
    }
    return {};
  }

  [[nodiscard]] const Freed& freed() const { return freed_; }

 private:
  Result<void> file_block(const InodeRecord& inode, std::uint64_t number) {
    const auto bytes = TRY(editor_.block(number));
    const std::size_t entries = (bytes.size() - sizeof(OrphanTail)) / sizeof(le32);
    const auto tail = from_bytes<OrphanTail>(std::span(bytes).last(sizeof(OrphanTail)));
    if (tail.ob_magic != orphan_block_magic)
      return fail(EUCLEAN, "ext4: orphan file: block {}: ob_magic {:#x}", number,
                  std::uint32_t{tail.ob_magic});
    if (geometry_.checksums()) {
      const le64 place = number;
      const std::uint32_t seed = crc32c(inode.checksum_seed, std::as_bytes(std::span(&place, 1)));
      if (crc32c(seed, std::span(bytes).first(entries * sizeof(le32))) != tail.ob_checksum)
        return fail(EBADMSG, "ext4: orphan file: block {}: wrong checksum", number);
    }
    for (std::size_t i = 0; i < entries; ++i) {
      const std::uint32_t entry = from_bytes<le32>(std::span(bytes).subspan(i * sizeof(le32)));
      if (entry != 0) (void)orphan(entry);
    }
    return {};
  }

  /// Cleans one up; the answer is the next in its list.
  Result<std::uint32_t> orphan(std::uint32_t number) {
    if (number < geometry_.first_inode || number > geometry_.inode_count || seen_.size() >= most_orphans ||
        !seen_.insert(number).second)
      return fail(EUCLEAN, "ext4: orphan inode {}", number);
    auto bytes = TRY(editor_.inode(number));
    DiskInode inode = fields_of(bytes);
    if (inode.i_mode == 0) return fail(EUCLEAN, "ext4: orphan inode {} is not in use", number);
    const std::uint32_t next = inode.i_dtime;
    if (inode.i_links_count == 0) {
      TRY(remove(inode));
    }
    return next;
  }

  Result<void> remove(const DiskInode& inode) {
    std::uint64_t blocks = std::min(blocks_of(geometry_, inode), geometry_.block_count);
    if (TRY(shares_attributes(inode))) blocks -= std::min<std::uint64_t>(blocks, geometry_.cluster_ratio);
    freed_.blocks += static_cast<std::int64_t>(blocks);
    ++freed_.inodes;
    return {};
  }

  /// Whether the block of attributes stays because others use it too.
  Result<bool> shares_attributes(const DiskInode& inode) {
    std::uint64_t number = inode.i_file_acl_lo;
    if (geometry_.has(incompat_64bit)) number |= std::uint64_t{inode.i_file_acl_high} << 32;
    if (number == 0) return false;
    auto found = users_.find(number);
    if (found == users_.end()) {
      const auto block = TRY(editor_.block(number));
      constexpr std::size_t h_refcount = 4;
      found = users_.emplace(number, from_bytes<le32>(std::span(block).subspan(h_refcount))).first;
    }
    if (found->second <= 1) return false;
    --found->second;
    return true;
  }

  Editor& editor_;
  const Geometry& geometry_;
  Freed freed_;
  std::unordered_set<std::uint32_t> seen_;
  std::unordered_map<std::uint64_t, std::uint32_t> users_;  ///< of blocks of attributes
};

}  // namespace

bool may_have_orphans(const Superblock& superblock) {
  return superblock.s_last_orphan != 0 || ((superblock.s_feature_compat & compat_orphan_file) != 0 &&
                                           (superblock.s_feature_ro_compat & ro_compat_orphan_present) != 0);
}

Freed clean_orphans(Editor& editor, const Superblock& superblock) {
  Cleanup cleanup(editor);
  (void)cleanup.list(superblock.s_last_orphan);
  if ((superblock.s_feature_compat & compat_orphan_file) != 0)
    (void)cleanup.file(superblock.s_orphan_file_inum);
  return cleanup.freed();
}

}  // namespace vmfs::ext4
