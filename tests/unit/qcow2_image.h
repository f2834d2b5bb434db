// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <libdeflate.h>

#include "formats/image_cache.h"
#include "formats/image_format.h"
#include "formats/qcow2/open.h"

namespace vmfs::qcow2 {

/// As QEMU compresses a cluster.
inline std::vector<std::uint8_t> deflate(const std::vector<std::uint8_t>& plain) {
  std::vector<std::uint8_t> packed(plain.size());
  auto* compressor = libdeflate_alloc_compressor(6);
  packed.resize(
      libdeflate_deflate_compress(compressor, plain.data(), plain.size(), packed.data(), packed.size()));
  libdeflate_free_compressor(compressor);
  return packed;
}

/// A qcow2 image made by hand: clusters of 4 KiB, the L1 table at cluster 1 (one entry), the L2 table at
/// cluster 2, data from cluster 3 on, a disk of 2 MiB.
class HandMade {
 public:
  static constexpr std::uint64_t cluster = 4096;
  static constexpr std::uint64_t l1 = cluster;
  static constexpr std::uint64_t l2 = 2 * cluster;
  static constexpr std::uint64_t data = 3 * cluster;
  static constexpr std::uint64_t copied = std::uint64_t{1} << 63;
  static constexpr std::uint64_t compressed = std::uint64_t{1} << 62;

  // Offsets of header fields.
  static constexpr std::size_t version = 4, backing_file_offset = 8, backing_file_size = 16,
                               cluster_bits = 20, size = 24, crypt_method = 32, l1_size = 36,
                               l1_table_offset = 40, nb_snapshots = 60, snapshots_offset = 64,
                               incompatible_features = 72, autoclear_features = 88, refcount_order = 96,
                               header_length = 100, compression_type = 104, extensions = 112;

  explicit HandMade(std::size_t file_size = 8 * cluster) : bytes_(file_size) {
    u32(0, 0x514649fb);
    u32(version, 3);
    u32(cluster_bits, 12);
    u64(size, 2 << 20);
    u32(l1_size, 1);
    u64(l1_table_offset, l1);
    u32(refcount_order, 4);
    u32(header_length, 112);
    u64(l1, l2 | copied);
  }

  HandMade& u8(std::size_t offset, std::uint8_t value) { return put(offset, value); }
  HandMade& u16(std::size_t offset, std::uint16_t value) { return put(offset, be16(value)); }
  HandMade& u32(std::size_t offset, std::uint32_t value) { return put(offset, be32(value)); }
  HandMade& u64(std::size_t offset, std::uint64_t value) { return put(offset, be64(value)); }
  HandMade& text(std::size_t offset, std::string_view value) {
    std::ranges::copy(std::as_bytes(std::span(value)), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return *this;
  }
  HandMade& fill(std::size_t offset, std::size_t count, std::uint8_t value) {
    std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, std::byte{value});
    return *this;
  }
  /// Entry `index` of the L2 table.
  HandMade& entry(std::size_t index, std::uint64_t value) { return u64(l2 + index * 8, value); }
  HandMade& bytes_at(std::size_t offset, const std::vector<std::uint8_t>& value) {
    std::ranges::copy(std::as_bytes(std::span(value)), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return *this;
  }
  /// A deflated cluster of bytes `value` at `offset`, and the entry for it with `sectors` more than one.
  HandMade& deflated(std::size_t index, std::size_t offset, std::uint8_t value, std::uint64_t sectors = 0) {
    bytes_at(offset, deflate(std::vector(cluster, value)));
    return entry(index, compressed | sectors << 58 | offset);
  }
  /// One header extension, followed by the end of them.
  HandMade& extension(std::uint32_t type, std::string_view content) {
    u32(extensions, type).u32(extensions + 4, static_cast<std::uint32_t>(content.size()));
    return text(extensions + 8, content);
  }

  [[nodiscard]] std::shared_ptr<const Source> source() const {
    return std::make_shared<MemorySource>(bytes_);
  }

 private:
  template <class Value>
  HandMade& put(std::size_t offset, Value value) {
    std::memcpy(&bytes_[offset], &value, sizeof value);
    return *this;
  }

  std::vector<std::byte> bytes_;
};

/// What hand-made images find when they name other files.
class FakeReferences final : public References {
 public:
  Result<Image> backing(const std::string& name, const std::string& format) override {
    asked = name + ":" + format;
    if (!below) return fail(ENOENT, "no {}", name);
    return Image{.disk = below, .info = std::make_shared<ImageInfo>()};
  }
  Result<std::shared_ptr<const Source>> data_file(const std::string& name) override {
    asked = name;
    if (!below) return fail(ENOENT, "no {}", name);
    return below;
  }

  std::shared_ptr<const Source> below;
  std::string asked;  ///< NAME:FORMAT of the last question
};

/// Opens a hand-made image.
inline Result<OpenedImage> open_made(const HandMade& image, std::shared_ptr<const Source> below = nullptr,
                                     const std::string& snapshot = {}) {
  FakeReferences references;
  references.below = std::move(below);
  return open({.file = image.source(), .references = references, .snapshot = snapshot, .password = "secret"});
}

/// The error of opening: its code and text, or "opened".
inline std::string error_of(const HandMade& image) {
  const auto opened = open_made(image);
  return opened ? "opened"
                : fmt::format("{}: {}", ::strerrorname_np(opened.error().code), opened.error().what);
}

/// The byte at `offset`, or minus the code of the error.
inline int byte_at(const Source& source, std::uint64_t offset) {
  std::byte byte{};
  const auto done = read(source, offset, std::span(&byte, 1));
  return done ? std::to_integer<int>(byte) : -done.error().code;
}

}  // namespace vmfs::qcow2
