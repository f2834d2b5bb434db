// SPDX-License-Identifier: MIT
#include "fs/ext4/volume.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vmfs::ext4 {

Workspace::Workspace(const Volume& volume)
    : volume_(volume),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(slots * volume.geometry().block_size)) {
  numbers_.fill(empty);
}

Result<CachedBlock> Workspace::block(Block number) {
  const std::size_t size = volume_.geometry().block_size;
  const std::uint64_t wanted = std::to_underlying(number);
  const auto found = std::ranges::find(numbers_, wanted);
  auto slot = static_cast<std::size_t>(found - numbers_.begin());
  if (slot == slots) {
    if (!volume_.geometry().contains(wanted, 1))
      return fail(EUCLEAN, "ext4: metadata block {} is not inside the {} blocks there are", wanted,
                  volume_.geometry().block_count);
    slot = static_cast<std::size_t>(std::ranges::min_element(used_) - used_.begin());
    numbers_[slot] = empty;
    checked_[slot] = 0;
    TRY(read(volume_.source(), wanted * size, {bytes_.get() + slot * size, size}));
    numbers_[slot] = wanted;
  }
  used_[slot] = ++uses_;
  return CachedBlock{{bytes_.get() + slot * size, size}, &checked_[slot]};
}

std::span<std::byte> Workspace::buffer() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<std::byte[]>(volume_.buffer_size());
  return {buffer_.get(), volume_.buffer_size()};
}

Volume::Lease::Lease(const Volume& volume) : volume_(volume) {
  {
    const std::lock_guard lock(volume.mutex_);
    if (volume.idle_ > 0) workspace_ = std::move(volume.pool_[--volume.idle_]);
  }
  if (!workspace_) workspace_ = std::make_unique<Workspace>(volume);
}

Volume::Lease::~Lease() {
  const std::lock_guard lock(volume_.mutex_);
  if (volume_.idle_ < volume_.pool_.size()) volume_.pool_[volume_.idle_++] = std::move(workspace_);
}

}  // namespace vmfs::ext4
