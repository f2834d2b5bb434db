// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "formats/source.h"

namespace vmfs::tests {

/// A disk that is zero but for a few bytes, as a short sequence of bytes: an le32 with its length in units of
/// 512 bytes, then runs of an le32 offset and an le16 length in units of 8 bytes, each with its bytes. What
/// is cut off or lies outside is ignored, so that every sequence of bytes is a disk.
class SparseImage final : public Source {
 public:
  static std::shared_ptr<SparseImage> parse(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(le32)) return std::make_shared<SparseImage>(0);
    auto image = std::make_shared<SparseImage>(std::uint64_t{from_bytes<le32>(bytes)} * 512);
    bytes = bytes.subspan(sizeof(le32));
    while (bytes.size() >= sizeof(RunHeader)) {
      const auto run = from_bytes<RunHeader>(bytes);
      bytes = bytes.subspan(sizeof run);
      const std::size_t length = std::min<std::size_t>(bytes.size(), std::size_t{run.length} * unit);
      image->write(std::uint64_t{run.offset} * unit, bytes.first(length));
      bytes = bytes.subspan(length);
    }
    return image;
  }

  explicit SparseImage(std::uint64_t size) : Source(size) {}

  /// Changes bytes. Only before anything reads them through another thread.
  void write(std::uint64_t offset, std::span<const std::byte> bytes) {
    for (; !bytes.empty() && offset < size(); ++offset, bytes = bytes.subspan(1)) {
      std::vector<std::byte>& page = pages_[offset / page_size];
      page.resize(page_size);
      page[offset % page_size] = bytes[0];
    }
  }

  template <class T>
  void put(std::uint64_t offset, const T& value) {
    write(offset, std::as_bytes(std::span(&value, 1)));
  }

  /// Lets `visit(offset, bytes)` change each page of 4096 bytes that is not all zeros. Only before anything
  /// reads.
  template <class Visit>
  void change_pages(const Visit& visit) {
    for (auto& [number, page] : pages_) visit(number * page_size, std::span(page));
  }

  /// The sequence of bytes that makes the given parts of `disk` (offset and length, multiples of `unit`).
  static Result<std::vector<std::byte>> encode(const Source& disk,
                                               const std::map<std::uint64_t, std::uint64_t>& parts) {
    std::vector<std::byte> out;
    append(out, le32{static_cast<std::uint32_t>(disk.size() / 512)});
    for (const auto& [offset, length] : parts) {
      std::vector<std::byte> bytes(length);
      TRY(vmfs::read(disk, offset, bytes));
      for (std::size_t at = 0; at < length;) {
        const std::size_t run = nonzero_run(std::span(bytes).subspan(at));
        if (run != 0) {
          append(out, RunHeader{.offset = static_cast<std::uint32_t>((offset + at) / unit),
                                .length = static_cast<std::uint16_t>(run / unit)});
          out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + run));
        }
        at += run + unit;
      }
    }
    return out;
  }

  static constexpr std::size_t unit = 8;

 private:
  struct RunHeader {
    le32 offset;
    le16 length;
  };
  static constexpr std::uint64_t page_size = 4096;

  template <class T>
  static void append(std::vector<std::byte>& out, const T& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }

  // Bytes before the first unit of zeros.
  static std::size_t nonzero_run(std::span<const std::byte> bytes) {
    std::size_t run = 0;
    while (run < bytes.size() && run < 0xffff &&
           std::ranges::any_of(bytes.subspan(run, unit), [](std::byte b) { return b != std::byte{}; }))
      run += unit;
    return run;
  }

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint64_t length = std::min(max_length, page_size - offset % page_size);
    if (pages_.contains(offset / page_size)) return Extent::encoded(*this, offset, length);
    return Extent::zero(length);
  }

  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override {
    const auto page = std::span(pages_.at(offset / page_size));
    std::ranges::copy(page.subspan(offset % page_size, into.size()), into.begin());
    return {};
  }

  std::map<std::uint64_t, std::vector<std::byte>> pages_;
};

}  // namespace vmfs::tests
