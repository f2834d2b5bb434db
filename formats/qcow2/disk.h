// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "formats/qcow2/compressed.h"
#include "formats/qcow2/geometry.h"
#include "formats/qcow2/header.h"
#include "formats/qcow2/tables.h"
#include "formats/source.h"

namespace vmfs::qcow2 {

/// What a Disk is put together from.
struct DiskParts {
  std::shared_ptr<ImageCache> cache;  ///< first: it outlives what is in it
  Geometry geometry;
  std::uint64_t size = 0;  ///< bytes of the disk
  Compression compression = Compression::deflate;
  std::shared_ptr<const Tables> tables;
  std::shared_ptr<const Source> file;     ///< the image file
  std::shared_ptr<const Source> data;     ///< holds the standard clusters: `file` or an external data file
  std::shared_ptr<const Source> backing;  ///< what shows through where nothing is allocated; may be null
  /// Gives the contents of standard clusters by their offset on the disk; null unless they are encrypted.
  std::shared_ptr<const Source> decrypted;
};

/// The guest's view of a QCOW image of any version.
class Disk final : public Source {
 public:
  explicit Disk(DiskParts parts);

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;
  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override;

  [[nodiscard]] Result<Extent> map_backing(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] Result<Extent> map_data(std::uint64_t offset, const Run& run) const;
  [[nodiscard]] Result<void> decode_run(std::uint64_t offset, const Run& run,
                                        std::span<std::byte> into) const;

  const DiskParts parts_;
  const std::shared_ptr<const Compressed> compressed_;
};

}  // namespace vmfs::qcow2
