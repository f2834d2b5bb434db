// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "formats/image_cache.h"
#include "formats/qcow2/geometry.h"
#include "formats/qcow2/header.h"
#include "formats/qcow2/tables.h"
#include "formats/source.h"

namespace vmfs::qcow2 {

/// The compressed clusters of an image, read through the cache; where they are read in order, the next ones
/// are decoded ahead by other threads. Safe for concurrent use by multiple threads.
class Compressed : public std::enable_shared_from_this<Compressed> {
 public:
  /// `cache` must live as long as any owner of this but the cache's own workers.
  Compressed(const Geometry& geometry, Compression compression, std::shared_ptr<const Tables> tables,
             std::shared_ptr<const Source> file, ImageCache& cache);

  /// Reads part of one cluster, `offset` being its place on the disk and `descriptor` the L2 entry. Errors:
  /// EIO (damaged, or not in the file), ENOMEM.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::uint64_t descriptor,
                                  std::span<std::byte> into) const;

 private:
  void decode_behind(const ClusterName& name) const;
  void fetch(const ClusterName& name) const;
  [[nodiscard]] Result<void> decode(std::uint64_t descriptor, std::span<std::byte> into) const;

  const Geometry geometry_;
  const Compression compression_;
  const std::shared_ptr<const Tables> tables_;
  const std::shared_ptr<const Source> file_;
  ImageCache& cache_;
  const std::uint64_t disk_;
};

}  // namespace vmfs::qcow2
