// SPDX-License-Identifier: MIT
#include "formats/lvm/thin_pool.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "formats/lvm/format.h"
#include "formats/lvm/thin_format.h"

namespace vmfs::lvm {
namespace {

constexpr std::uint32_t max_version = 2;
constexpr std::uint32_t needs_check = 1;
constexpr std::uint32_t max_block_sectors = 1U << 21;  // 1 GiB
constexpr std::uint32_t mapping_value_size = 8;
constexpr std::uint32_t details_value_size = 24;
constexpr unsigned time_bits = 24;  // of a mapping's value; the data block is above them

Result<ThinSuperblock> read_superblock(const Source& metadata) {
  std::array<std::byte, thin_block_size> bytes{};
  TRY(read(metadata, 0, bytes));
  const auto super = from_bytes<ThinSuperblock>(bytes);
  if (super.magic != thin_magic) return fail(EUCLEAN, "thin pool: superblock has no magic number");
  const std::uint32_t sum = thin_checksum(bytes, thin_superblock_salt);
  if (super.csum != sum) {
    return fail(EUCLEAN, "thin pool: checksum of the superblock is {:08x}, should be {:08x}",
                std::uint32_t{super.csum}, sum);
  }
  if (super.version == 0 || super.version > max_version) {
    return fail(EOPNOTSUPP, "thin pool: version {}", std::uint32_t{super.version});
  }
  if (super.incompat_flags != 0) {
    return fail(EOPNOTSUPP, "thin pool: incompatible features {:#x}", std::uint32_t{super.incompat_flags});
  }
  return super;
}

}  // namespace

/// A thin device: its pool's tree says for each block whether and where it is.
class ThinSource final : public Source {
 public:
  ThinSource(std::shared_ptr<const ThinPool> pool, std::uint64_t root, std::uint64_t size,
             std::shared_ptr<const Source> origin)
      : Source(size), pool_(std::move(pool)), root_(root), origin_(std::move(origin)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;
  [[nodiscard]] Result<Extent> map_mapped(const BtreeRun& run, std::uint64_t within,
                                          std::uint64_t max_length) const;
  [[nodiscard]] Result<Extent> map_unmapped(std::uint64_t offset, std::uint64_t length) const;

  const std::shared_ptr<const ThinPool> pool_;
  const std::uint64_t root_;
  const std::shared_ptr<const Source> origin_;
};

Result<Extent> ThinSource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  const std::uint64_t block_size = pool_->block_size_;
  const std::uint64_t block = offset / block_size;
  const std::uint64_t within = offset % block_size;
  const BtreeRun run = TRY(pool_->trees_.find(root_, block, mapping_value_size));
  if (run.found) return map_mapped(run, within, max_length);
  // In blocks, for the next key can be any number.
  const std::uint64_t gap = run.end - block;
  const std::uint64_t length = gap > max_length / block_size + 1 ? max_length : gap * block_size - within;
  return map_unmapped(offset, std::min(length, max_length));
}

/// Blocks that follow each other in the device and in the pool, as far as this leaf goes.
Result<Extent> ThinSource::map_mapped(const BtreeRun& run, std::uint64_t within,
                                      std::uint64_t max_length) const {
  const std::uint64_t block_size = pool_->block_size_;
  const auto& keys = run.leaf->keys;
  const auto data_block = [&](std::size_t index) { return run.leaf->values[index] >> time_bits; };
  const std::uint64_t first = data_block(run.index);
  const std::uint64_t blocks = pool_->data_->size() / block_size;
  if (first >= blocks) {
    return fail(EUCLEAN, "thin pool: block {} of a volume lies in block {} of data, which has {}",
                keys[run.index], first, blocks);
  }
  std::uint64_t length = block_size - within;
  for (std::size_t i = run.index + 1; i < keys.size() && length < max_length; ++i) {
    if (keys[i] != keys[i - 1] + 1 || data_block(i) != data_block(i - 1) + 1 || data_block(i) >= blocks)
      break;
    length += block_size;
  }
  return pool_->data_->map(first * block_size + within, std::min(length, max_length));
}

Result<Extent> ThinSource::map_unmapped(std::uint64_t offset, std::uint64_t length) const {
  if (!origin_ || offset >= origin_->size()) return Extent::zero(length);
  return origin_->map(offset, length);
}

Result<std::shared_ptr<const ThinPool>> ThinPool::open(std::shared_ptr<const Source> metadata,
                                                       std::shared_ptr<const Source> data,
                                                       std::uint64_t block_size, const Warn& warn) {
  const auto super = TRY(read_superblock(*metadata));
  const std::uint32_t sectors = super.data_block_size;
  if (sectors == 0 || sectors > max_block_sectors || sectors * sector_size != block_size) {
    return fail(EUCLEAN, "thin pool: blocks of {} sectors, where LVM says {} bytes", sectors, block_size);
  }
  if ((super.flags & needs_check) != 0)
    warn("thin pool: is marked to need thin_check; what is shown may be damaged");
  auto pool = std::shared_ptr<ThinPool>(new ThinPool(std::move(metadata), std::move(data), block_size));
  pool->mapping_root_ = super.data_mapping_root;
  pool->details_root_ = super.device_details_root;
  return pool;
}

Result<std::shared_ptr<const Source>> ThinPool::device(std::uint64_t id, std::uint64_t size,
                                                       std::shared_ptr<const Source> origin) const {
  const auto details = TRY(trees_.value(details_root_, id, details_value_size));
  const auto root = TRY(trees_.value(mapping_root_, id, mapping_value_size));
  if (!details || !root) return fail(ENOENT, "thin pool: has no device {} (was the volume ever active?)", id);
  return std::make_shared<ThinSource>(shared_from_this(), *root, size, std::move(origin));
}

}  // namespace vmfs::lvm
