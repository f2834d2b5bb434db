// SPDX-License-Identifier: MIT
#include "formats/lvm/thin_btree.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "formats/crc32c.h"
#include "formats/lvm/thin_format.h"

namespace vmfs::lvm {
namespace {

constexpr int max_depth = 16;

}  // namespace

std::uint32_t thin_checksum(std::span<const std::byte> block, std::uint32_t salt) {
  return crc32c(~std::uint32_t{0}, block.subspan(sizeof(le32))) ^ salt;
}

Btrees::Btrees(std::shared_ptr<const Source> metadata) : metadata_(std::move(metadata)), slots_(slot_count) {}

Result<BtreeNode> Btrees::read_node(std::uint64_t block, std::uint32_t value_size) const {
  if (block == 0 || block >= metadata_->size() / thin_block_size) {
    return fail(EUCLEAN, "thin pool: block {} of metadata, which has {}", block,
                metadata_->size() / thin_block_size);
  }
  std::array<std::byte, thin_block_size> bytes{};
  TRY(read(*metadata_, block * thin_block_size, bytes));
  const auto header = from_bytes<BtreeHeader>(bytes);
  if (header.csum != thin_checksum(bytes, btree_salt) || header.blocknr != block) {
    return fail(EUCLEAN, "thin pool: block {} of metadata: its checksum or number is wrong", block);
  }
  BtreeNode node{.leaf = header.flags == btree_leaf, .keys = {}, .values = {}};
  const std::size_t size = node.leaf ? value_size : sizeof(le64);
  const std::size_t count = header.nr_entries;
  const std::size_t room = header.max_entries;
  if ((!node.leaf && header.flags != btree_internal) || header.value_size != size || count > room ||
      room > (thin_block_size - sizeof header) / (sizeof(le64) + size)) {
    return fail(EUCLEAN,
                "thin pool: block {} of metadata: node with {} of {} entries of {} bytes, flags {:#x}", block,
                count, room, std::uint32_t{header.value_size}, std::uint32_t{header.flags});
  }
  const auto keys = std::span(bytes).subspan(sizeof header);
  const auto values = keys.subspan(room * sizeof(le64));
  for (std::size_t i = 0; i < count; ++i) {
    node.keys.push_back(from_bytes<le64>(keys.subspan(i * sizeof(le64))));
    node.values.push_back(from_bytes<le64>(values.subspan(i * size)));
  }
  if (std::ranges::adjacent_find(node.keys, std::ranges::greater_equal{}) != node.keys.end()) {
    return fail(EUCLEAN, "thin pool: block {} of metadata: keys are not in order", block);
  }
  return node;
}

Result<std::shared_ptr<const BtreeNode>> Btrees::node(std::uint64_t block, std::uint32_t value_size) const {
  Slot& slot = slots_[static_cast<std::size_t>(block % slot_count)];
  std::mutex& mutex = mutexes_[static_cast<std::size_t>(block % stripe_count)];
  {
    const std::lock_guard lock(mutex);
    if (slot.node && slot.block == block && slot.value_size == value_size) return slot.node;
  }
  auto node = std::make_shared<const BtreeNode>(TRY(read_node(block, value_size)));
  const std::lock_guard lock(mutex);
  slot = {.block = block, .value_size = value_size, .node = node};
  return node;
}

Result<BtreeRun> Btrees::find(std::uint64_t root, std::uint64_t key, std::uint32_t value_size) const {
  std::uint64_t block = root;
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  for (int depth = 0; depth < max_depth; ++depth) {
    auto here = TRY(node(block, value_size));
    const auto above = std::ranges::upper_bound(here->keys, key);
    const auto index = static_cast<std::size_t>(above - here->keys.begin());
    if (above != here->keys.end()) end = std::min(end, *above);
    const bool exact = index > 0 && here->keys[index - 1] == key;
    if (here->leaf) {
      return BtreeRun{
          .leaf = std::move(here), .index = exact ? index - 1 : index, .found = exact, .end = end};
    }
    if (index == 0) return BtreeRun{.leaf = {}, .index = 0, .found = false, .end = end};
    block = here->values[index - 1];
  }
  return fail(EUCLEAN, "thin pool: a tree of metadata is deeper than {}", max_depth);
}

Result<std::optional<std::uint64_t>> Btrees::value(std::uint64_t root, std::uint64_t key,
                                                   std::uint32_t value_size) const {
  const BtreeRun run = TRY(find(root, key, value_size));
  if (!run.found) return std::optional<std::uint64_t>{};
  return run.leaf->values[run.index];
}

}  // namespace vmfs::lvm
