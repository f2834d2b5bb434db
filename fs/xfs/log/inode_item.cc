// SPDX-License-Identifier: MIT
// Items of inodes: the core, and whatever changed of the forks.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/stat.h>

#include "fs/xfs/bmap.h"
#include "fs/xfs/log/replay.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t max_flush = 0xffff;   // DI_MAX_FLUSH
constexpr std::size_t flushiter_offset = 30;  // di_flushiter, versions 1 and 2
constexpr std::uint32_t max_tree_levels = 9;  // as fs/xfs/bmap.cc

Result<InodeLogFormat> inode_head(const LogItem& item) {
  const std::span<const std::byte> bytes = item.region(0);
  InodeLogFormat head;
  if (bytes.size() == inode_log_format_32_size) {
    std::array<std::byte, sizeof head> wide{};
    constexpr std::size_t pad = offsetof(InodeLogFormat, ilf_pad);
    std::ranges::copy(bytes.first(pad), wide.begin());
    std::ranges::copy(bytes.subspan(pad), wide.begin() + pad + sizeof(le32));
    head = from_bytes<InodeLogFormat>(wide);
  } else if (bytes.size() == sizeof head) {
    head = from_bytes<InodeLogFormat>(bytes);
  } else {
    return fail(EUCLEAN, "an inode item of {} bytes", bytes.size());
  }
  return head;
}

be64 disk_time(const LogDinode& from, std::uint64_t stamp) {
  if (from.di_version >= 3 && (from.di_flags2 & diflag2::bigtime) != 0) return stamp;
  // Seconds come first, then nanoseconds, in either byte order.
  return stamp << 32 | stamp >> 32;
}

// What is logged of an inode's core, as it lies on the disk (xfs_log_dinode_to_disk()).
void core_to_disk(const LogDinode& from, std::uint64_t lsn, Dinode& to) {
  to.di_magic = std::uint16_t{from.di_magic};
  to.di_mode = std::uint16_t{from.di_mode};
  to.di_version = from.di_version;
  to.di_format = from.di_format;
  to.di_onlink = std::uint16_t{from.di_metatype};
  to.di_uid = std::uint32_t{from.di_uid};
  to.di_gid = std::uint32_t{from.di_gid};
  to.di_nlink = std::uint32_t{from.di_nlink};
  to.di_projid_lo = std::uint16_t{from.di_projid_lo};
  to.di_projid_hi = std::uint16_t{from.di_projid_hi};
  to.di_atime = disk_time(from, from.di_atime);
  to.di_mtime = disk_time(from, from.di_mtime);
  to.di_ctime = disk_time(from, from.di_ctime);
  to.di_size = std::uint64_t{from.di_size};
  to.di_nblocks = std::uint64_t{from.di_nblocks};
  to.di_extsize = std::uint32_t{from.di_extsize};
  to.di_nextents = std::uint32_t{from.di_nextents};
  to.di_anextents = std::uint16_t{from.di_anextents};
  to.di_forkoff = from.di_forkoff;
  to.di_aformat = from.di_aformat;
  to.di_dmevmask = std::uint32_t{from.di_dmevmask};
  to.di_dmstate = std::uint16_t{from.di_dmstate};
  to.di_flags = std::uint16_t{from.di_flags};
  to.di_gen = std::uint32_t{from.di_gen};
  to.di_big_nextents = std::uint64_t{0};
  if (from.di_version < 3) return;
  if ((from.di_flags2 & diflag2::nrext64) != 0) to.di_big_nextents = std::uint64_t{from.di_big_nextents};
  to.di_changecount = std::uint64_t{from.di_changecount};
  to.di_crtime = disk_time(from, from.di_crtime);
  to.di_flags2 = std::uint64_t{from.di_flags2};
  to.di_cowextsize = std::uint32_t{from.di_cowextsize};
  to.di_pad2 = {};
  to.di_ino = std::uint64_t{from.di_ino};
  to.di_lsn = lsn;
  to.di_uuid = from.di_uuid;
}

// One inode that is being replayed.
class InodeReplay {
 public:
  InodeReplay(Replay& replay, const LogItem& item, const InodeLogFormat& head)
      : replay_(replay), g_(replay.geometry()), item_(item), head_(head) {}

  [[nodiscard]] Result<void> run(std::uint64_t lsn) {
    TRY(read_disk());
    TRY(read_logged());
    if (!newer_on_disk(lsn)) TRY(recover(lsn));
    // The blocks of a tree that came from another inode may be older than the inode.
    if ((head_.ilf_fields & (ilog::downer | ilog::aowner)) != 0 && core().di_mode != 0) TRY(change_owners());
    return {};
  }

 private:
  [[nodiscard]] Dinode core() const { return from_bytes<Dinode>(bytes_); }
  [[nodiscard]] std::uint64_t number() const { return head_.ilf_ino; }

  [[nodiscard]] Result<void> read_disk() {
    const std::uint64_t buffer = std::uint64_t{head_.ilf_len} * log_block_size;
    if (head_.ilf_blkno >> 54 != 0 || head_.ilf_boffset > buffer ||
        g_.inode_size > buffer - head_.ilf_boffset)
      return fail(EUCLEAN, "inode {}: ilf_blkno {:#x}, ilf_len {}, ilf_boffset {}", number(),
                  std::uint64_t{head_.ilf_blkno}, std::uint32_t{head_.ilf_len},
                  std::uint32_t{head_.ilf_boffset});
    offset_ = head_.ilf_blkno * log_block_size + head_.ilf_boffset;
    bytes_.resize(g_.inode_size);
    TRY(replay_.disk().read(offset_, bytes_));
    if (core().di_magic != dinode_magic)
      return fail(EUCLEAN, "inode {}: di_magic {:#06x} where it should be, byte {} of the volume", number(),
                  std::uint16_t{core().di_magic}, offset_);
    return {};
  }

  [[nodiscard]] Result<void> read_logged() {
    const std::span<const std::byte> region = item_.region(1);
    const std::size_t size = g_.v5 ? sizeof(LogDinode) : log_dinode_v2_size;
    if (region.size() != size) return fail(EUCLEAN, "inode {}: a core of {} bytes", number(), region.size());
    std::array<std::byte, sizeof(LogDinode)> whole{};
    std::ranges::copy(region, whole.begin());
    logged_ = from_bytes<LogDinode>(whole);
    if (logged_.di_magic != dinode_magic)
      return fail(EUCLEAN, "inode {}: logged di_magic {:#06x}", number(), std::uint16_t{logged_.di_magic});
    if ((logged_.di_version >= 3) != g_.v5)
      return fail(EUCLEAN, "inode {}: logged di_version {}", number(), logged_.di_version);
    return {};
  }

  [[nodiscard]] bool newer_on_disk(std::uint64_t lsn) const {
    const Dinode disk = core();
    if (g_.v5) return disk.di_lsn != 0 && disk.di_lsn != ~0ULL && disk.di_lsn > lsn;
    const auto at = std::span<const std::byte>(bytes_).subspan(flushiter_offset);
    const std::uint32_t on_disk = from_bytes<be16>(at);
    const auto logged = static_cast<std::uint32_t>(logged_.di_big_nextents >> 48);
    const bool wrapped = on_disk == max_flush && logged < max_flush / 2;
    return logged < on_disk && !wrapped;
  }

  [[nodiscard]] Result<void> recover(std::uint64_t lsn) {
    Dinode disk = core();
    core_to_disk(logged_, lsn, disk);
    std::memcpy(bytes_.data(), &disk, g_.inode_core());
    const std::size_t room = g_.inode_size - g_.inode_core();
    const std::size_t boundary = std::size_t{disk.di_forkoff} * 8;
    if (boundary > room) return fail(EUCLEAN, "inode {}: di_forkoff {}", number(), disk.di_forkoff);
    const auto literal = std::span(bytes_).subspan(g_.inode_core());
    data_ = boundary == 0 ? literal : literal.first(boundary);
    attr_ = boundary == 0 ? std::span<std::byte>{} : literal.subspan(boundary);
    TRY(recover_forks());
    TRY(replay_.disk().write(offset_, bytes_));
    replay_.changed_inode(offset_);
    return {};
  }

  [[nodiscard]] Result<void> recover_forks() {
    const std::uint32_t fields = head_.ilf_fields;
    if ((fields & ilog::dev) != 0) {
      const be32 device = std::uint32_t{head_.ilfu_rdev};
      TRY(copy_fork(data_, std::as_bytes(std::span(&device, 1))));
    }
    std::size_t region = 2;
    if ((fields & ilog::dfork) != 0)
      TRY(recover_fork(data_, fields & (ilog::ddata | ilog::dext), fields & ilog::dbroot, region++));
    if ((fields & ilog::afork) != 0)
      TRY(recover_fork(attr_, fields & (ilog::adata | ilog::aext), fields & ilog::abroot, region));
    return {};
  }

  [[nodiscard]] Result<void> recover_fork(std::span<std::byte> fork, std::uint32_t plain, std::uint32_t root,
                                          std::size_t region) const {
    const std::span<const std::byte> bytes = item_.region(region);
    if (plain != 0 && root != 0)
      return fail(EUCLEAN, "inode {}: ilf_fields {:#x}", number(), std::uint32_t{head_.ilf_fields});
    if (plain != 0) return copy_fork(fork, bytes);
    // Other trees than block maps are those of files that nobody sees.
    if (fork.data() == data_.data() && ForkFormat{logged_.di_format} != ForkFormat::btree) return {};
    return root_to_disk(fork, bytes);
  }

  [[nodiscard]] Result<void> copy_fork(std::span<std::byte> fork, std::span<const std::byte> bytes) const {
    if (bytes.size() > fork.size())
      return fail(EUCLEAN, "inode {}: a fork of {} bytes, room for {}", number(), bytes.size(), fork.size());
    std::ranges::copy(bytes, fork.begin());
    return {};
  }

  // A tree's root is logged as it is in memory: as a block of the tree as long as it needs
  // (xfs_bmbt_to_bmdr()).
  [[nodiscard]] Result<void> root_to_disk(std::span<std::byte> fork, std::span<const std::byte> block) const {
    constexpr std::size_t pair = sizeof(be64) * 2;  // key and pointer
    const std::size_t header_size = g_.v5 ? sizeof(BtreeLblock) : btree_lblock_v4_size;
    const auto bad = [&] {
      return fail(EUCLEAN, "inode {}: a tree root of {} bytes", number(), block.size());
    };
    if (block.size() < header_size || fork.size() < sizeof(BmdrBlock)) return bad();
    BmdrBlock root;
    root.bb_level = from_bytes<be16>(block.subspan(offsetof(BtreeLblock, bb_level)));
    root.bb_numrecs = from_bytes<be16>(block.subspan(offsetof(BtreeLblock, bb_numrecs)));
    const std::size_t count = root.bb_numrecs;
    const std::size_t from_room = (block.size() - header_size) / pair;
    const std::size_t to_room = (fork.size() - sizeof root) / pair;
    if (count > from_room || count > to_room) return bad();
    const auto from = block.subspan(header_size);
    const auto to = fork.subspan(sizeof root);
    std::memcpy(fork.data(), &root, sizeof root);
    std::ranges::copy(from.first(count * sizeof(be64)), to.begin());
    std::ranges::copy(from.subspan(from_room * sizeof(be64), count * sizeof(be64)),
                      to.subspan(to_room * sizeof(be64)).begin());
    return {};
  }

  // The two forks as they are now.
  [[nodiscard]] Result<void> change_owners() {
    const Dinode disk = core();
    const std::size_t boundary = std::size_t{disk.di_forkoff} * 8;
    const auto literal = std::span<const std::byte>(bytes_).subspan(g_.inode_core());
    if (boundary > literal.size()) return fail(EUCLEAN, "inode {}: di_forkoff {}", number(), disk.di_forkoff);
    const auto data = boundary == 0 ? literal : literal.first(boundary);
    if ((head_.ilf_fields & ilog::downer) != 0 && ForkFormat{disk.di_format} == ForkFormat::btree)
      TRY(change_owner(data));
    if ((head_.ilf_fields & ilog::aowner) != 0 && ForkFormat{disk.di_aformat} == ForkFormat::btree)
      TRY(change_owner(literal.subspan(boundary)));
    return {};
  }

  // All blocks of a tree get this inode for an owner (xfs_bmbt_change_owner()).
  [[nodiscard]] Result<void> change_owner(std::span<const std::byte> fork) {
    if (!g_.v5 || fork.size() < sizeof(BmdrBlock)) return {};
    const auto root = from_bytes<BmdrBlock>(fork);
    const std::size_t room = (fork.size() - sizeof root) / (sizeof(be64) * 2);
    if (root.bb_numrecs > room || root.bb_level == 0 || root.bb_level > max_tree_levels)
      return fail(EUCLEAN, "inode {}: tree root of level {} with {} records", number(),
                  std::uint16_t{root.bb_level}, std::uint16_t{root.bb_numrecs});
    std::vector<std::uint64_t> level = pointers(fork.subspan(sizeof root), root.bb_numrecs, room);
    for (std::uint32_t height = root.bb_level; height-- > 0;) {
      std::vector<std::uint64_t> below;
      for (const std::uint64_t block : level) {
        TRY(replay_.visit_tree_block());
        const auto children = TRY(change_block_owner(block, height));
        below.insert(below.end(), children.begin(), children.end());
      }
      level = std::move(below);
    }
    return {};
  }

  static std::vector<std::uint64_t> pointers(std::span<const std::byte> pairs, std::size_t count,
                                             std::size_t room) {
    std::vector<std::uint64_t> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(from_bytes<be64>(pairs.subspan((room + i) * sizeof(be64))));
    return all;
  }

  // Returns the blocks below.
  [[nodiscard]] Result<std::vector<std::uint64_t>> change_block_owner(std::uint64_t block,
                                                                      std::uint32_t height) {
    const auto offset = g_.offset_of(FsBlock{block}, 1);
    if (!offset) return fail(EUCLEAN, "inode {}: tree pointer {:#x}", number(), block);
    std::vector<std::byte> bytes(g_.block_size);
    TRY(replay_.disk().read(*offset, bytes));
    auto header = from_bytes<BtreeLblock>(bytes);
    const std::size_t room = (bytes.size() - sizeof header) / (sizeof(be64) * 2);
    if (header.bb_magic != bmap_crc_magic || header.bb_level != height ||
        (height > 0 && header.bb_numrecs > room))
      return fail(EUCLEAN, "inode {}: tree block at {}: bb_magic {:#010x}, bb_level {}", number(), *offset,
                  std::uint32_t{header.bb_magic}, std::uint16_t{header.bb_level});
    if (header.bb_owner != number()) {
      TRY(replay_.disk().put(*offset + offsetof(BtreeLblock, bb_owner), be64{number()}));
      replay_.changed({.blkno = *offset / log_block_size, .length = g_.block_size / log_block_size});
    }
    if (height == 0) return std::vector<std::uint64_t>{};
    return pointers(std::span<const std::byte>(bytes).subspan(sizeof header), header.bb_numrecs, room);
  }

  Replay& replay_;
  const Geometry& g_;
  const LogItem& item_;
  const InodeLogFormat head_;
  LogDinode logged_;
  std::uint64_t offset_ = 0;
  std::vector<std::byte> bytes_;
  std::span<std::byte> data_;
  std::span<std::byte> attr_;
};

}  // namespace

Result<void> replay_inode(Replay& replay, const LogItem& item, std::uint64_t lsn) {
  const InodeLogFormat head = TRY(inode_head(item));
  const BufferName buffer{.blkno = head.ilf_blkno, .length = head.ilf_len};
  if (replay.cancelled().contains(buffer)) return {};
  return InodeReplay(replay, item, head).run(lsn);
}

}  // namespace vmfs::xfs
