// SPDX-License-Identifier: MIT
#include "fs/xfs/superblock.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "fs/xfs/checksum.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t no_inode = ~0ULL;  // NULLFSINO
constexpr std::uint32_t agfl_sector = 3;   // the last of the headers of an allocation group
constexpr std::uint64_t min_group_bytes = 1ULL << 24;
constexpr std::uint64_t max_group_bytes = 1ULL << 40;
constexpr std::uint64_t min_group_blocks = 64;
constexpr std::uint32_t max_inode_bits = 56;

template <class... Arguments>
std::unexpected<Error> bad(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return fail(EUCLEAN, "xfs: superblock: {}", fmt::format(format, std::forward<Arguments>(arguments)...));
}

std::uint32_t log2_of(std::uint32_t value) {
  return static_cast<std::uint32_t>(std::countr_zero(value));
}

Result<void> check_sizes(const Dsb& sb) {
  const std::uint32_t block = sb.sb_blocksize;
  const std::uint32_t sector = sb.sb_sectsize;
  const std::uint32_t inode = sb.sb_inodesize;
  if (!std::has_single_bit(block) || block < 512 || block > 65536 || log2_of(block) != sb.sb_blocklog)
    return bad("sb_blocksize {}, sb_blocklog {}", block, sb.sb_blocklog);
  if (!std::has_single_bit(sector) || sector < 512 || sector > 32768 || log2_of(sector) != sb.sb_sectlog)
    return bad("sb_sectsize {}, sb_sectlog {}", sector, sb.sb_sectlog);
  if (!std::has_single_bit(inode) || inode < 256 || inode > 2048 || inode > block ||
      log2_of(inode) != sb.sb_inodelog || sb.sb_inopblock != block / inode ||
      sb.sb_inopblog != sb.sb_blocklog - sb.sb_inodelog)
    return bad("sb_inodesize {}, sb_inodelog {}, sb_inopblock {}", inode, sb.sb_inodelog,
               std::uint16_t{sb.sb_inopblock});
  if (sb.sb_dirblklog > 16 - sb.sb_blocklog) return bad("sb_dirblklog {}", sb.sb_dirblklog);
  return {};
}

Result<void> check_groups(const Dsb& sb, std::uint64_t volume_size) {
  const std::uint64_t blocks = sb.sb_dblocks;
  const std::uint32_t group = sb.sb_agblocks;
  const std::uint64_t bytes = std::uint64_t{group} << sb.sb_blocklog;
  if (group < min_group_blocks || bytes < min_group_bytes || bytes > max_group_bytes ||
      sb.sb_agblklog != std::bit_width(group - 1))
    return bad("sb_agblocks {}, sb_agblklog {}", group, sb.sb_agblklog);
  const std::uint64_t groups = blocks / group + (blocks % group != 0 ? 1 : 0);
  if (groups == 0 || groups != sb.sb_agcount)
    return bad("sb_dblocks {}, sb_agblocks {}, sb_agcount {}", blocks, group, std::uint32_t{sb.sb_agcount});
  if (blocks - (groups - 1) * group < min_group_blocks) return bad("last allocation group too small");
  if (blocks > volume_size >> sb.sb_blocklog) {
    return fail(EIO, "xfs: the file system has {} blocks of {} bytes, the volume is {} bytes long", blocks,
                std::uint32_t{sb.sb_blocksize}, volume_size);
  }
  const auto group_bits = static_cast<std::uint32_t>(std::bit_width(groups - 1));
  const std::uint32_t bits = group_bits + sb.sb_agblklog + sb.sb_inopblog;
  if (bits > max_inode_bits) return fail(EOVERFLOW, "xfs: inode numbers of {} bits are not supported", bits);
  return {};
}

// An old kernel wrote the field at the wrong place; later ones take both.
std::uint32_t features2_of(const Dsb& sb) {
  return (sb.sb_versionnum & version::morebits) != 0 ? sb.sb_features2 | sb.sb_bad_features2 : 0U;
}

Result<void> check_features(const Dsb& sb) {
  const std::uint32_t flags = sb.sb_versionnum;
  if ((flags & version::shared) != 0 || sb.sb_shared_vn != 0)
    return fail(EOPNOTSUPP, "xfs: shared file systems are not supported");
  if ((flags & version::dirv2) == 0) return fail(EOPNOTSUPP, "xfs: version 1 directories are not supported");
  if ((flags & version::extflg) == 0)
    return fail(EOPNOTSUPP, "xfs: extents without the unwritten flag are not supported");
  constexpr std::uint32_t ok =
      version2::lazysbcount | version2::attr2 | version2::projid32 | version2::ftype | version2::crc;
  const std::uint32_t unknown = features2_of(sb) & ~ok;
  if (unknown != 0) return fail(EOPNOTSUPP, "xfs: unknown sb_features2 {:#x}", unknown);
  const std::uint32_t incompatible = sb.sb_features_incompat & ~incompat::known;
  if ((flags & version::number) == 5 && incompatible != 0)
    return fail(EOPNOTSUPP, "xfs: unknown incompatible features {:#x}", incompatible);
  if (sb.sb_inprogress != 0) return bad("mkfs.xfs did not finish (sb_inprogress {})", sb.sb_inprogress);
  return {};
}

struct FeatureName {
  std::uint32_t bit;
  std::string_view name;
};

constexpr FeatureName ro_compat_names[] = {
    {ro_compat::finobt, "finobt"},
    {ro_compat::rmapbt, "rmapbt"},
    {ro_compat::reflink, "reflink"},
    {ro_compat::inobtcnt, "inobtcount"},
};

constexpr FeatureName incompat_names[] = {
    {incompat::spinodes, "sparse"}, {incompat::meta_uuid, "meta_uuid"},
    {incompat::bigtime, "bigtime"}, {incompat::needsrepair, "needsrepair"},
    {incompat::nrext64, "nrext64"}, {incompat::exchrange, "exchange"},
    {incompat::parent, "parent"},   {incompat::metadir, "metadir"},
    {incompat::zoned, "zoned"},     {incompat::zone_gaps, "zone_gaps"},
};

std::vector<std::string> feature_names(const Dsb& sb, const Geometry& g) {
  std::vector<std::string> names;
  const std::uint32_t features2 = features2_of(sb);
  if (g.v5) names.emplace_back("crc");
  if ((features2 & version2::attr2) != 0) names.emplace_back("attr2");
  if ((features2 & version2::projid32) != 0) names.emplace_back("projid32bit");
  if (g.lazy_counters) names.emplace_back("lazy-count");
  if (g.ftype) names.emplace_back("ftype");
  if (g.ascii_ci) names.emplace_back("ascii-ci");
  if (!g.v5) return names;
  for (const FeatureName& feature : ro_compat_names) {
    if ((sb.sb_features_ro_compat & feature.bit) != 0) names.emplace_back(feature.name);
  }
  for (const FeatureName& feature : incompat_names) {
    if ((sb.sb_features_incompat & feature.bit) != 0) names.emplace_back(feature.name);
  }
  return names;
}

std::vector<std::uint64_t> internal_inodes(const Dsb& sb, const Geometry& g) {
  std::vector<std::uint64_t> numbers;
  for (const std::uint64_t number : {std::uint64_t{sb.sb_rbmino}, std::uint64_t{sb.sb_rsumino}}) {
    if (number != 0 && number != no_inode) numbers.push_back(number);
  }
  if (!g.v5 && (sb.sb_versionnum & version::quota) == 0) return numbers;
  for (const std::uint64_t number : {std::uint64_t{sb.sb_uquotino}, std::uint64_t{sb.sb_gquotino},
                                     g.v5 ? std::uint64_t{sb.sb_pquotino} : no_inode}) {
    if (number != 0 && number != no_inode) numbers.push_back(number);
  }
  return numbers;
}

// Inodes are allocated in chunks of 64, so the limit is a multiple of their blocks (M_IGEO(mp)->maxicount).
std::uint64_t inode_limit(const Dsb& sb) {
  const std::uint64_t chunk = std::max<std::uint64_t>(64, sb.sb_inopblock) >> sb.sb_inopblog;
  if (sb.sb_imax_pct == 0 || sb.sb_imax_pct > 100) return 0;
  const std::uint64_t blocks = sb.sb_dblocks;
  const std::uint64_t share = blocks / 100 * sb.sb_imax_pct + blocks % 100 * sb.sb_imax_pct / 100;
  return (share / chunk * chunk) << sb.sb_inopblog;
}

void fill_flags(const Dsb& sb, Geometry& g) {
  const std::uint32_t flags = sb.sb_versionnum;
  g.v5 = (flags & version::number) == 5;
  const std::uint32_t features2 = features2_of(sb);
  const std::uint32_t incompatible = g.v5 ? std::uint32_t{sb.sb_features_incompat} : 0U;
  g.ftype = (features2 & version2::ftype) != 0 || (incompatible & incompat::ftype) != 0;
  g.ascii_ci = (flags & version::borg) != 0;
  g.lazy_counters = g.v5 || (features2 & version2::lazysbcount) != 0;
  g.nrext64 = (incompatible & incompat::nrext64) != 0;
  g.metadir = (incompatible & incompat::metadir) != 0;
  g.log_v2 = (flags & version::logv2) != 0;
  g.log_incompat = g.v5 ? std::uint32_t{sb.sb_features_log_incompat} : 0U;
  g.needs_repair = (incompatible & incompat::needsrepair) != 0;
  g.uuid = sb.sb_uuid;
  g.meta_uuid = (incompatible & incompat::meta_uuid) != 0 ? sb.sb_meta_uuid : sb.sb_uuid;
}

Geometry geometry_of(const Dsb& sb) {
  Geometry g;
  g.block_size = sb.sb_blocksize;
  g.block_log = sb.sb_blocklog;
  g.sector_size = sb.sb_sectsize;
  g.blocks = sb.sb_dblocks;
  g.ag_count = sb.sb_agcount;
  g.ag_blocks = sb.sb_agblocks;
  g.ag_block_log = sb.sb_agblklog;
  g.inode_size = sb.sb_inodesize;
  g.inode_log = sb.sb_inodelog;
  g.inodes_per_block_log = sb.sb_inopblog;
  g.dir_block_log = std::uint32_t{sb.sb_blocklog} + sb.sb_dirblklog;
  g.realtime_extent = sb.sb_rextsize;
  g.log_start = sb.sb_logstart;
  g.log_blocks = sb.sb_logblocks;
  g.log_unit = sb.sb_logsunit;
  g.inode_align = sb.sb_inoalignmt;
  g.root = sb.sb_rootino;
  g.inodes = sb.sb_icount;
  g.inodes_free = sb.sb_ifree;
  g.blocks_free = sb.sb_fdblocks;
  g.inodes_max = inode_limit(sb);
  const auto end = std::ranges::find(sb.sb_fname, '\0');
  g.label.assign(sb.sb_fname.begin(), end);
  fill_flags(sb, g);
  g.internal = internal_inodes(sb, g);
  g.features = feature_names(sb, g);
  return g;
}

Result<void> check_sum(const Source& volume, const Dsb& sb) {
  std::vector<std::byte> sector(sb.sb_sectsize);
  TRY(read(volume, 0, sector));
  const std::uint32_t sum = checksum(sector, offsetof(Dsb, sb_crc));
  const std::uint32_t crc = sb.sb_crc;
  if (sum != crc) return bad("sb_crc {:#010x}, computed {:#010x}", crc, sum);
  return {};
}

}  // namespace

std::optional<std::uint64_t> Geometry::offset_of(FsBlock start, std::uint64_t count) const {
  const auto address = static_cast<std::uint64_t>(start);
  const std::uint64_t group = address >> ag_block_log;
  const std::uint64_t block = address & ((1ULL << ag_block_log) - 1);
  if (group >= ag_count || block <= (std::uint64_t{agfl_sector} * sector_size) >> block_log) return {};
  const std::uint64_t end = blocks_of(group);
  if (block >= end || count > end - block) return {};
  return (group * ag_blocks + block) << block_log;
}

bool Geometry::valid_inode(std::uint64_t number) const {
  const FsBlock block{number >> inodes_per_block_log};
  return offset_of(block, 1).has_value();
}

bool Geometry::valid_entry(std::uint64_t number) const {
  return valid_inode(number) && std::ranges::find(internal, number) == internal.end();
}

Result<Geometry> parse_superblock(std::span<const std::byte> sector, std::uint64_t volume_size) {
  const auto sb = from_bytes<Dsb>(sector);
  if (sb.sb_magicnum != sb_magic) return bad("sb_magicnum {:#010x}", std::uint32_t{sb.sb_magicnum});
  const std::uint32_t number = sb.sb_versionnum & version::number;
  if (number != 4 && number != 5) return fail(EOPNOTSUPP, "xfs: version {} is not supported", number);
  TRY(check_sizes(sb));
  if (number == 5 && sb.sb_blocksize < 1024) return bad("sb_blocksize {}", std::uint32_t{sb.sb_blocksize});
  TRY(check_features(sb));
  TRY(check_groups(sb, volume_size));
  Geometry geometry = geometry_of(sb);
  if (!geometry.valid_inode(geometry.root)) return bad("sb_rootino {}", geometry.root);
  return geometry;
}

Result<Geometry> read_superblock(const Source& volume, bool check_crc, const Warn& warn) {
  std::array<std::byte, 512> sector{};
  if (volume.size() < sector.size()) return bad("the volume is only {} bytes long", volume.size());
  TRY(read(volume, 0, sector));
  const auto sb = from_bytes<Dsb>(sector);
  const bool v5 = (sb.sb_versionnum & version::number) == 5;
  if (sb.sb_magicnum == sb_magic && v5 && check_crc) {
    TRY(check_sizes(sb));
    if (volume.size() < sb.sb_sectsize) return bad("the volume is only {} bytes long", volume.size());
    TRY(check_sum(volume, sb));
  }
  Geometry geometry = TRY(parse_superblock(sector, volume.size()));
  if (geometry.needs_repair)
    warn("xfs: the file system is marked as needing xfs_repair; some of it may be damaged");
  return geometry;
}

}  // namespace vmfs::xfs
