// SPDX-License-Identifier: MIT
// Items of inode chunks that were allocated.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fs/xfs/log/replay.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t no_inode = ~0U;         // NULLAGINO
constexpr std::uint32_t cluster_bytes = 8192;   // XFS_INODE_BIG_CLUSTER_SIZE
constexpr std::uint32_t inodes_per_chunk = 64;  // XFS_INODES_PER_CHUNK
constexpr std::uint32_t small_inode = 256;      // XFS_DINODE_MIN_SIZE

// The blocks of a buffer of inodes (blocks_per_cluster).
std::uint64_t cluster_blocks(const Geometry& g) {
  std::uint64_t bytes = cluster_bytes;
  if (g.v5) {
    const std::uint64_t scaled = bytes * (g.inode_size / small_inode);
    if (g.inode_align >= scaled >> g.block_log) bytes = scaled;
  }
  return std::max<std::uint64_t>(1, bytes >> g.block_log);
}

Result<void> check(const Geometry& g, const LogItem& item, const IcreateLog& icl) {
  const std::uint32_t group = icl.icl_ag;
  const std::uint32_t block = icl.icl_agbno;
  const std::uint32_t length = icl.icl_length;
  const std::uint32_t chunk = std::max(inodes_per_chunk >> g.inodes_per_block_log, 1U);
  const bool fits = length <= chunk && group < g.ag_count && block != 0 && block < g.blocks_of(group) &&
                    length != 0 && length <= g.blocks_of(group) - block;
  if (item.regions() != 1 || !fits || icl.icl_isize != g.inode_size ||
      (icl.icl_count >> g.inodes_per_block_log) != length)
    return fail(EUCLEAN, "inode chunk at block {} of group {}: {} inodes of {} bytes in {} blocks", block,
                group, std::uint32_t{icl.icl_count}, std::uint32_t{icl.icl_isize}, length);
  return {};
}

bool is_cancelled(Replay& replay, std::uint64_t start, std::uint64_t blocks) {
  const Geometry& g = replay.geometry();
  const std::uint64_t cluster = cluster_blocks(g);
  const std::uint64_t sectors = cluster << (g.block_log - 9);
  for (std::uint64_t block = 0; block + cluster <= blocks; block += cluster) {
    const std::uint64_t offset = start + (block << g.block_log);
    if (replay.cancelled().contains({.blkno = offset / log_block_size, .length = sectors})) return true;
  }
  return false;
}

}  // namespace

// As xfs_ialloc_inode_init().
Result<void> replay_icreate(Replay& replay, const LogItem& item) {
  const Geometry& g = replay.geometry();
  if (item.region(0).size() < sizeof(IcreateLog))
    return fail(EUCLEAN, "an inode chunk's item of {} bytes", item.region(0).size());
  const auto icl = from_bytes<IcreateLog>(item.region(0));
  TRY(check(g, item, icl));
  const std::uint64_t group = icl.icl_ag;
  const std::uint64_t start = (group * g.ag_blocks + icl.icl_agbno) << g.block_log;
  if (is_cancelled(replay, start, icl.icl_length)) return {};
  std::vector<std::byte> bytes(g.inode_size);
  Dinode inode;
  inode.di_magic = dinode_magic;
  inode.di_version = g.v5 ? 3 : 2;
  inode.di_gen = std::uint32_t{icl.icl_gen};
  inode.di_next_unlinked = no_inode;
  const std::uint64_t first = (group << g.ag_block_log | icl.icl_agbno) << g.inodes_per_block_log;
  for (std::uint32_t i = 0; i < icl.icl_count; ++i) {
    if (g.v5) {
      inode.di_ino = first + i;
      inode.di_uuid = g.meta_uuid;
    }
    std::memcpy(bytes.data(), &inode, g.inode_core());
    const std::uint64_t offset = start + (std::uint64_t{i} << g.inode_log);
    TRY(replay.disk().write(offset, bytes));
    replay.changed_inode(offset);
  }
  return {};
}

}  // namespace vmfs::xfs
