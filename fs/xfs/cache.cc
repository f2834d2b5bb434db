// SPDX-License-Identifier: MIT
#include "fs/xfs/cache.h"

#include <algorithm>

namespace vmfs::xfs {
namespace {

// Sixteen of these are a megabyte: a walk reads hardly a block again that it would not have to with more, and
// the processor's caches keep what memory is used over and over.
constexpr std::size_t shard_bytes = 64U << 10;

std::uint64_t hash_of(const BlockKey& key) {
  const std::uint64_t mixed = key.number * 0x9e3779b97f4a7c15ULL ^ key.owner * 0xc2b2ae3d27d4eb4fULL;
  return mixed ^ mixed >> 29;
}

}  // namespace

BlockCache::BlockCache(std::size_t block_size) {
  const std::size_t slots = std::clamp<std::size_t>(shard_bytes / block_size, 4, 64);
  for (Shard& shard : shards_) shard.slots.resize(slots);
}

BlockCache::Shard& BlockCache::shard_of(const BlockKey& key) const {
  return shards_[hash_of(key) % shard_count];
}

std::optional<Block> BlockCache::find(const BlockKey& key) const {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto slot =
      std::ranges::find_if(shard.slots, [&](const Slot& s) { return s.key == key && s.used != 0; });
  if (slot == shard.slots.end()) return {};
  slot->used = ++shard.clock;
  return slot->block;
}

void BlockCache::insert(const BlockKey& key, const Block& block) const {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  auto& slot = *std::ranges::min_element(shard.slots, {}, &Slot::used);
  slot.key = key;
  slot.block = block;
  slot.used = ++shard.clock;
}

}  // namespace vmfs::xfs
