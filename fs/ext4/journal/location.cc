// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/location.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include "fs/ext4/block_map.h"

namespace vmfs::ext4 {
namespace {

constexpr std::size_t most_pieces = std::size_t{1} << 20;
constexpr std::uint8_t backup_of_blocks = 1;
constexpr std::uint16_t extent_magic = 0xf30a;

Result<InodeRecord> journal_inode(Workspace& workspace, std::uint32_t number) {
  InodeRecord inode = TRY(read_inode(workspace, number));
  if (inode.is(S_IFREG) && !inode.has(flag_encrypt) && !inode.has(flag_inline_data)) return inode;
  return fail(EUCLEAN, "ext4: inode {} is no journal: i_mode {:#o}, i_flags {:#x}", number,
              inode.attributes.mode, inode.flags);
}

/// The copy of the journal inode's block map and size in the superblock.
InodeRecord backup_inode(const Superblock& superblock) {
  InodeRecord inode;
  inode.number = superblock.s_journal_inum;
  inode.attributes.mode = S_IFREG;
  std::ranges::copy(std::as_bytes(std::span(superblock.s_jnl_blocks)).first(sizeof inode.i_block),
                    inode.i_block.begin());
  inode.attributes.size = std::uint64_t{superblock.s_jnl_blocks[15]} << 32 | superblock.s_jnl_blocks[16];
  if (from_bytes<le16>(inode.i_block) == extent_magic) inode.flags = flag_extents;
  return inode;
}

}  // namespace

Result<void> JournalLocation::collect(Workspace& workspace, const InodeRecord& inode) {
  const Geometry& geometry = workspace.volume().geometry();
  blocks_ = inode.attributes.size / geometry.block_size;
  pieces_.clear();
  // Else one piece of the disk could serve as a journal without end.
  if (blocks_ > geometry.block_count)
    return fail(EUCLEAN, "ext4: inode {}: a journal of {} blocks in a file system of {}", inode.number,
                blocks_, geometry.block_count);
  for (std::uint64_t index = 0; index < blocks_;) {
    const Run run = TRY(map_blocks(workspace, inode, index, blocks_ - index));
    if (!run.hole) pieces_.push_back({.index = index, .first = run.first, .length = run.length});
    if (pieces_.size() > most_pieces)
      return fail(EFBIG, "ext4: inode {}: the journal lies in more than {} pieces", inode.number,
                  most_pieces);
    index += run.length;
  }
  return {};
}

Result<JournalLocation> JournalLocation::find(Workspace& workspace, const Superblock& superblock) {
  JournalLocation location;
  const auto inode = journal_inode(workspace, superblock.s_journal_inum);
  auto done = inode ? location.collect(workspace, *inode) : std::unexpected(inode.error());
  if (done && location.locate(0)) return location;
  if (superblock.s_jnl_backup_type != backup_of_blocks) {
    if (!done) return std::unexpected(std::move(done).error());
    return fail(EUCLEAN, "ext4: inode {}: the journal has no first block", superblock.s_journal_inum);
  }
  TRY(location.collect(workspace, backup_inode(superblock)));
  return location;
}

Result<JournalLocation> JournalLocation::find_on_devices(
    std::span<const std::shared_ptr<const Source>> devices, const Superblock& superblock,
    std::uint32_t block_size) {
  JournalLocation location;
  for (const auto& device : devices) {
    if (device->size() < superblock_offset + sizeof(Superblock)) continue;
    const auto found = TRY(read_struct<Superblock>(*device, superblock_offset));
    if (found.s_magic != superblock_magic || (found.s_feature_incompat & incompat_journal_dev) == 0 ||
        found.s_uuid != superblock.s_journal_uuid)
      continue;
    TRY(check_checksum(found));
    location.blocks_ = found.s_blocks_count_lo;
    if (location.blocks_ > device->size() / block_size)
      return fail(EUCLEAN, "ext4: external journal: {} blocks on a device of {} bytes", location.blocks_,
                  device->size());
    // Its blocks are counted from the device's start, where no log is.
    location.pieces_ = {{.index = 0, .first = 0, .length = location.blocks_}};
    location.superblock_index_ = superblock_offset / block_size + 1;
    location.device_ = device;
    break;
  }
  return location;
}

Result<std::uint64_t> JournalLocation::locate(std::uint64_t index) const {
  const auto next = std::ranges::upper_bound(pieces_, index, {}, &Piece::index);
  if (next != pieces_.begin()) {
    const Piece& piece = *(next - 1);
    if (index - piece.index < piece.length) return piece.first + (index - piece.index);
  }
  return fail(EUCLEAN, "ext4: journal: block {} of {} lies nowhere", index, blocks_);
}

}  // namespace vmfs::ext4
