// SPDX-License-Identifier: MIT
#include "fs/xfs/inode.h"

#include <algorithm>
#include <cstddef>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs/xfs/checksum.h"

namespace vmfs::xfs {
namespace {

constexpr std::int64_t nanoseconds = 1'000'000'000;
constexpr std::int64_t bigtime_epoch = -(1LL << 31);  // seconds: the least that 32 bits could say
constexpr std::uint32_t page_size = 4096;             // the kernel's st_blksize (xfs_stat_blksize())

// The kernel's own unit (XFS_INODE_BIG_CLUSTER_SIZE), which grows with the inode.
std::uint64_t cluster_size(const Geometry& g) {
  return std::max<std::uint64_t>(g.block_size, 32ULL << g.inode_log);
}

// Aligned within the allocation group, for that is where inode chunks are aligned.
Result<Block> read_cluster(const Volume& volume, std::uint64_t block_offset, std::uint64_t group,
                           std::uint64_t& start) {
  const Geometry& g = volume.geometry;
  const std::uint64_t base = (group * g.ag_blocks) << g.block_log;
  const std::uint64_t end = base + (g.blocks_of(group) << g.block_log);
  const std::uint64_t size = cluster_size(g);
  start = base + (block_offset - base) / size * size;
  const BlockKey key{.owner = 0, .number = start, .kind = BlockKind::inodes};
  if (auto cached = volume.cache.find(key)) return *std::move(cached);
  Block block(static_cast<std::size_t>(std::min(size, end - start)));
  TRY(read(*volume.source, start, block.writable()));
  volume.cache.insert(key, block);
  return block;
}

timespec time_of(std::uint64_t stamp, bool bigtime) {
  timespec time{};
  if (bigtime) {
    time.tv_sec = static_cast<std::int64_t>(stamp / nanoseconds) + bigtime_epoch;
    time.tv_nsec = static_cast<long>(stamp % nanoseconds);
  } else {
    time.tv_sec = static_cast<std::int32_t>(stamp >> 32);
    time.tv_nsec = static_cast<std::int32_t>(stamp & 0xffffffff);
  }
  return time;
}

Result<void> check_identity(const Volume& volume, std::span<const std::byte> bytes, const Dinode& d,
                            std::uint64_t number) {
  const Geometry& g = volume.geometry;
  if (d.di_magic != dinode_magic)
    return corrupt("inode {}: di_magic {:#06x}", number, std::uint16_t{d.di_magic});
  if (g.v5 ? d.di_version != 3 : d.di_version != 1 && d.di_version != 2)
    return corrupt("inode {}: di_version {}", number, d.di_version);
  if (!g.v5) return {};
  const std::uint32_t crc = d.di_crc;
  const std::uint32_t sum = volume.check_crc ? checksum(bytes, offsetof(Dinode, di_crc)) : crc;
  if (sum != crc) return corrupt("inode {}: di_crc {:#010x}, computed {:#010x}", number, crc, sum);
  if (d.di_ino != number) return corrupt("inode {}: di_ino {}", number, std::uint64_t{d.di_ino});
  if (d.di_uuid != g.meta_uuid) return corrupt("inode {}: di_uuid of another file system", number);
  return {};
}

bool is_special(std::uint32_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
}

Result<void> check_fork(const InodeCore& inode, const Fork& fork, const char* name) {
  constexpr std::size_t record = sizeof(BmbtRec);
  switch (fork.format) {
    case ForkFormat::local:
      if (fork.extents != 0)
        return corrupt("inode {}: local {} fork of {} extents", inode.number, name, fork.extents);
      return {};
    case ForkFormat::extents:
      if (fork.extents > fork.bytes.size() / record)
        return corrupt("inode {}: {} fork of {} extents, room for {}", inode.number, name, fork.extents,
                       fork.bytes.size() / record);
      return {};
    case ForkFormat::btree:
      return {};
    default:
      return corrupt("inode {}: {} fork of format {}", inode.number, name, static_cast<int>(fork.format));
  }
}

Result<void> check_mode(const InodeCore& inode) {
  const std::uint32_t mode = inode.mode;
  if (is_special(mode)) {
    if (inode.data.format != ForkFormat::dev || inode.data.bytes.size() < sizeof(be32))
      return corrupt("inode {}: di_format {} of a device", inode.number, static_cast<int>(inode.data.format));
    return {};
  }
  if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
    return corrupt("inode {}: di_mode {:#o}", inode.number, mode);
  TRY(check_fork(inode, inode.data, "data"));
  const bool local = inode.data.format == ForkFormat::local;
  if (local && (S_ISREG(mode) || inode.size > inode.data.bytes.size()))
    return corrupt("inode {}: di_size {} of a local fork of {} bytes", inode.number, inode.size,
                   inode.data.bytes.size());
  if (!S_ISREG(mode) && inode.size == 0) return corrupt("inode {}: di_size 0", inode.number);
  return {};
}

Result<void> split_forks(const Geometry& g, const Dinode& d, InodeCore& inode,
                         std::span<const std::byte> bytes) {
  const std::span<const std::byte> literal = bytes.subspan(g.inode_core());
  const std::size_t boundary = std::size_t{d.di_forkoff} * 8;
  if (boundary >= literal.size()) return corrupt("inode {}: di_forkoff {}", inode.number, d.di_forkoff);
  const bool large = g.v5 && (d.di_flags2 & diflag2::nrext64) != 0;
  if (large && !g.nrext64)
    return corrupt("inode {}: di_flags2 {:#x}", inode.number, std::uint64_t{d.di_flags2});
  inode.data.format = ForkFormat{d.di_format};
  inode.data.extents = large ? std::uint64_t{d.di_big_nextents} : std::uint64_t{d.di_nextents};
  inode.data.bytes = boundary == 0 ? literal : literal.first(boundary);
  if (boundary == 0) return {};
  inode.attr.format = ForkFormat{d.di_aformat};
  inode.attr.extents = large ? std::uint64_t{d.di_nextents} : std::uint64_t{d.di_anextents};
  inode.attr.bytes = literal.subspan(boundary);
  return check_fork(inode, inode.attr, "attribute");
}

// What differs from the disk when the log's intents are done.
void apply_finished(const FinishedInodes& all, InodeCore& inode) {
  const auto found = all.find(inode.number);
  if (found == all.end()) return;
  const FinishedInode& finished = found->second;
  const auto replace = [](Fork& fork, const std::optional<std::vector<std::byte>>& extents) {
    if (!extents) return;
    fork = {.format = ForkFormat::extents, .extents = extents->size() / sizeof(BmbtRec), .bytes = *extents};
  };
  replace(inode.data, finished.data);
  replace(inode.attr, finished.attr);
  inode.size = finished.size.value_or(inode.size);
  inode.blocks += static_cast<std::uint64_t>(finished.blocks);
}

void fill_core(const Geometry& g, const Dinode& d, InodeCore& inode) {
  const bool bigtime = g.v5 && (d.di_flags2 & diflag2::bigtime) != 0;
  inode.mode = d.di_mode;
  inode.links = d.di_version == 1 ? std::uint32_t{d.di_onlink} : std::uint32_t{d.di_nlink};
  inode.uid = d.di_uid;
  inode.gid = d.di_gid;
  inode.generation = d.di_gen;
  inode.size = is_special(inode.mode) ? 0 : std::uint64_t{d.di_size};
  inode.blocks = d.di_nblocks;
  inode.extent_size = d.di_extsize;
  inode.realtime = (d.di_flags & diflag_realtime) != 0;
  inode.accessed = time_of(d.di_atime, bigtime);
  inode.modified = time_of(d.di_mtime, bigtime);
  inode.changed = time_of(d.di_ctime, bigtime);
  if (g.v5) inode.born = time_of(d.di_crtime, bigtime);
}

// 14 bits of major and 18 of minor number; Linux takes 9 of the major's (xfs_to_linux_dev_t()).
dev_t device_of(const InodeCore& inode) {
  const std::uint32_t device = from_bytes<be32>(inode.data.bytes);
  return makedev((device >> 18) & 0x1ff, device & 0x3ffff);
}

}  // namespace

Result<InodeCore> read_inode(const Volume& volume, std::uint64_t number) {
  const Geometry& g = volume.geometry;
  const FsBlock block{number >> g.inodes_per_block_log};
  const auto offset = g.offset_of(block, 1);
  if (!offset) return fail(ESTALE, "xfs: no inode {}", number);
  std::uint64_t start = 0;
  InodeCore inode;
  inode.number = number;
  inode.block =
      TRY(read_cluster(volume, *offset, number >> (g.inodes_per_block_log + g.ag_block_log), start));
  const std::uint64_t index = number & ((1ULL << g.inodes_per_block_log) - 1);
  const auto position = static_cast<std::size_t>(*offset - start + (index << g.inode_log));
  const auto bytes = inode.block.bytes().subspan(position, g.inode_size);
  const auto d = from_bytes<Dinode>(bytes);  // versions 1 and 2 are shorter, but no inode is
  TRY(check_identity(volume, bytes, d, number));
  fill_core(g, d, inode);
  if (g.metadir && (d.di_flags2 & diflag2::metadata) != 0)
    return corrupt("inode {}: di_flags2 {:#x}: not a user's", number, std::uint64_t{d.di_flags2});
  if (inode.mode == 0) return fail(ESTALE, "xfs: inode {} is not in use", number);
  if (inode.size >> 63 != 0) return corrupt("inode {}: di_size {:#x}", number, inode.size);
  TRY(split_forks(g, d, inode, bytes));
  apply_finished(volume.finished, inode);
  TRY(check_mode(inode));
  return inode;
}

Attributes attributes_of(const Volume& volume, const InodeCore& inode) {
  const Geometry& g = volume.geometry;
  Attributes a;
  a.inode = Inode{inode.number};
  a.mode = inode.mode;
  a.links = inode.links;
  a.uid = inode.uid;
  a.gid = inode.gid;
  a.size = inode.size;
  a.blocks = inode.blocks << (g.block_log - 9);
  a.block_size = page_size;
  if (S_ISCHR(inode.mode) || S_ISBLK(inode.mode)) a.device = device_of(inode);
  if (inode.realtime) {
    const std::uint64_t hint = inode.extent_size != 0 ? inode.extent_size : g.realtime_extent;
    a.block_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(hint << g.block_log, 1U << 30));
  }
  a.accessed = inode.accessed;
  a.modified = inode.modified;
  a.changed = inode.changed;
  a.born = inode.born;
  a.generation = inode.generation;
  return a;
}

}  // namespace vmfs::xfs
