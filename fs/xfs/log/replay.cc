// SPDX-License-Identifier: MIT
#include "fs/xfs/log/replay.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "fs/xfs/checksum.h"
#include "fs/xfs/format_da.h"
#include "fs/xfs/log/self.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t max_tree_blocks = 1U << 20;

}  // namespace

Result<void> Replay::visit_tree_block() {
  if (++tree_blocks_ <= max_tree_blocks) return {};
  return fail(EUCLEAN, "trees of more than {} blocks would change owners", max_tree_blocks);
}

Result<void> Replay::stamp(std::uint64_t lsn) {
  for (const BufferName& buffer : changed_) {
    sealed_[buffer.blkno] = buffer.length;  // a block that was freed may have become another kind of buffer
    const std::uint64_t offset = buffer.blkno * log_block_size;
    std::array<std::byte, self_fields_end> head{};
    TRY(disk_.read(offset, head));
    const auto fields = self_fields(geometry_, head);
    if (fields && fields->logged) TRY(disk_.put(offset + fields->lsn, be64{lsn}));
  }
  changed_.clear();
  return {};
}

Result<void> Replay::update_geometry() {
  std::array<std::byte, log_block_size> sector{};
  TRY(disk_.read(0, sector));
  geometry_ = TRY(parse_superblock(sector, volume_size_));
  return {};
}

Result<void> Replay::seal_buffer(const BufferName& buffer) {
  const std::uint64_t offset = buffer.blkno * log_block_size;
  std::vector<std::byte> bytes(static_cast<std::size_t>(buffer.length) * log_block_size);
  TRY(disk_.read(offset, bytes));
  const auto fields = self_fields(geometry_, bytes);
  if (!fields) return {};
  // Each block of an attribute's value has its own header, however long the buffer is.
  const std::size_t part =
      fields->logged ? bytes.size() : std::min<std::size_t>(geometry_.block_size, bytes.size());
  for (std::size_t at = 0; at + part <= bytes.size(); at += part) {
    TRY(disk_.put(offset + at + fields->crc,
                  le32{checksum(std::span(bytes).subspan(at, part), fields->crc)}));
  }
  return {};
}

Result<void> Replay::seal() {
  if (!geometry_.v5) return {};
  for (const auto& [blkno, length] : sealed_) TRY(seal_buffer({.blkno = blkno, .length = length}));
  std::vector<std::byte> inode(geometry_.inode_size);
  constexpr std::size_t field = offsetof(Dinode, di_crc);
  for (const std::uint64_t offset : inodes_) {
    TRY(disk_.read(offset, inode));
    if (from_bytes<be16>(inode) != dinode_magic) continue;
    TRY(disk_.put(offset + field, le32{checksum(inode, field)}));
  }
  return {};
}

}  // namespace vmfs::xfs
