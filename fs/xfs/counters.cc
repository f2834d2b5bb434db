// SPDX-License-Identifier: MIT
#include "fs/xfs/counters.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t set_aside = 8;  // blocks of each allocation group (xfs_alloc_set_aside())
constexpr std::uint64_t max_inodes = (1ULL << 56) - 1;
constexpr std::uint32_t most_groups = 1U << 16;  // whose headers are worth reading for a number

struct Counters {
  std::uint64_t inodes = 0;
  std::uint64_t inodes_free = 0;
  std::uint64_t blocks_free = 0;
  std::uint64_t tree_blocks = 0;  // of the free space, which nobody gets
};

// Sums up the headers of all groups (xfs_initialize_perag_data()).
std::optional<Counters> sum_groups(const Volume& volume) {
  const Geometry& g = volume.geometry;
  Counters sum;
  if (g.ag_count > most_groups) return {};
  for (std::uint64_t group = 0; group < g.ag_count; ++group) {
    const std::uint64_t start = group * g.ag_blocks << g.block_log;
    const auto agf = read_struct<Agf>(*volume.source, start + g.sector_size);
    const auto agi = read_struct<Agi>(*volume.source, start + std::uint64_t{2} * g.sector_size);
    if (!agf || !agi || agf->agf_magicnum != agf_magic || agi->agi_magicnum != agi_magic) return {};
    sum.inodes += agi->agi_count;
    sum.inodes_free += agi->agi_freecount;
    sum.blocks_free += std::uint64_t{agf->agf_freeblks} + agf->agf_flcount + agf->agf_btreeblks;
    const std::uint64_t rmap = g.v5 && agf->agf_rmap_blocks != 0 ? agf->agf_rmap_blocks - 1U : 0U;
    sum.tree_blocks += agf->agf_btreeblks > rmap ? agf->agf_btreeblks - rmap : 0U;
  }
  if (sum.blocks_free > g.blocks || sum.inodes_free > sum.inodes) return {};
  return sum;
}

bool plausible(const Geometry& g) {
  return g.blocks_free <= g.blocks && g.inodes_free <= g.inodes &&
         g.inodes <= g.blocks << g.inodes_per_block_log;
}

std::uint64_t above(std::uint64_t value, std::uint64_t floor) {
  return value > floor ? value - floor : 0;
}

}  // namespace

Usage count_usage(const Volume& volume, bool clean) {
  const Geometry& g = volume.geometry;
  Counters c{.inodes = g.inodes, .inodes_free = g.inodes_free, .blocks_free = g.blocks_free};
  const bool trusted = (clean || !g.lazy_counters) && plausible(g);
  if (!trusted) c = sum_groups(volume).value_or(c);
  Usage usage;
  usage.block_size = g.block_size;
  usage.blocks = above(g.blocks, g.log_start != 0 ? g.log_blocks : 0);
  usage.blocks_free = above(c.blocks_free, g.ag_count * set_aside + c.tree_blocks);
  usage.blocks_available = usage.blocks_free;
  usage.files = std::min(c.inodes + (usage.blocks_free << g.inodes_per_block_log), max_inodes);
  if (g.inodes_max != 0) usage.files = std::min(usage.files, g.inodes_max);
  usage.files = std::max(usage.files, g.inodes);
  usage.files_free = above(usage.files, above(c.inodes, c.inodes_free));
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(g.uuid);
  usage.id = halves[0] ^ halves[1];
  return usage;
}

}  // namespace vmfs::xfs
