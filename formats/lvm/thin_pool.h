// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "formats/lvm/thin_btree.h"
#include "formats/source.h"

namespace vmfs::lvm {

/// A pool of thin volumes (drivers/md/dm-thin-metadata.c): what was committed last is what is read.
class ThinPool : public std::enable_shared_from_this<ThinPool> {
 public:
  /// Opens a pool by its metadata and data volumes. `block_size` is what LVM says of it, in bytes. Errors:
  /// EUCLEAN, EOPNOTSUPP (features by number), EIO.
  [[nodiscard]] static Result<std::shared_ptr<const ThinPool>> open(std::shared_ptr<const Source> metadata,
                                                                    std::shared_ptr<const Source> data,
                                                                    std::uint64_t block_size,
                                                                    const Warn& warn);

  /// The thin device `id`, `size` bytes large. What is not mapped is that of `origin`, where there is one, as
  /// far as it goes, and zeros else. Errors: ENOENT (no such device), and as open().
  [[nodiscard]] Result<std::shared_ptr<const Source>> device(std::uint64_t id, std::uint64_t size,
                                                             std::shared_ptr<const Source> origin) const;

 private:
  friend class ThinSource;
  ThinPool(std::shared_ptr<const Source> metadata, std::shared_ptr<const Source> data,
           std::uint64_t block_size)
      : trees_(std::move(metadata)), data_(std::move(data)), block_size_(block_size) {}

  const Btrees trees_;
  const std::shared_ptr<const Source> data_;
  const std::uint64_t block_size_;
  std::uint64_t mapping_root_ = 0;
  std::uint64_t details_root_ = 0;
};

}  // namespace vmfs::lvm
