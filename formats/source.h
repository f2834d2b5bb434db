// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "formats/endian.h"
#include "formats/result.h"

namespace vmfs {

class Source;

/// Where a run of bytes lives.
struct Extent {
  enum class Kind : std::uint8_t {
    data,     ///< in the host file `fd` at `offset`
    zero,     ///< nowhere: reads as zeros
    encoded,  ///< only `decoder->decode(offset, ...)` can give the bytes (compressed, encrypted, in memory,
              ///< remote)
  };

  Kind kind = Kind::zero;
  int fd = -1;                      ///< data: open for reading as long as the mapped source lives
  std::uint64_t length = 0;         ///< bytes, at least 1
  std::uint64_t offset = 0;         ///< bytes: in `fd` (data) or in `decoder` (encoded)
  const Source* decoder = nullptr;  ///< encoded: lives as long as the mapped source

  static Extent data(int fd, std::uint64_t offset, std::uint64_t length) {
    return {.kind = Kind::data, .fd = fd, .length = length, .offset = offset};
  }
  static Extent zero(std::uint64_t length) { return {.length = length}; }
  static Extent encoded(const Source& decoder, std::uint64_t offset, std::uint64_t length) {
    return {.kind = Kind::encoded, .length = length, .offset = offset, .decoder = &decoder};
  }
};

/// A sequence of bytes that knows where each of them lives: a host file, an image, a partition, a file of the
/// guest. Layers answer `map()` by composing the layer below; none of them moves bytes. Immutable after
/// construction; safe for concurrent use by multiple threads.
class Source {
 public:
  explicit Source(std::uint64_t size) : size_(size) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Length in bytes.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Where the run that starts at `offset` lives, its length at most `max_length` and never past the end.
  /// Adjacent runs are merged only as far as metadata that is loaded anyway goes; reads no more metadata than
  /// `offset` needs. Errors: EINVAL if `offset` >= size() or `max_length` is 0; EUCLEAN and EIO from the
  /// metadata.
  [[nodiscard]] Result<Extent> map(std::uint64_t offset, std::uint64_t max_length) const;

  /// Produces the bytes [offset, offset + into.size()) of an `encoded` run that this source named as its
  /// decoder. Errors: EIO (undecodable), EINVAL (not in this source).
  [[nodiscard]] Result<void> decode(std::uint64_t offset, std::span<std::byte> into) const;

 protected:
  /// As map(), with `offset` < size() and 0 < `max_length` <= size() - `offset`.
  [[nodiscard]] virtual Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const = 0;

  /// As decode(), with the range inside size(). Needed only where do_map() answers `encoded` naming this
  /// source.
  [[nodiscard]] virtual Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const;

 private:
  const std::uint64_t size_;
};

/// Fills `into` with the bytes at `offset`: the gathering read, the only function that copies image bytes
/// into memory. Errors: EINVAL (not wholly inside the source), EIO (the host file ended early), and whatever
/// map() and decode() say.
[[nodiscard]] Result<void> read(const Source& source, std::uint64_t offset, std::span<std::byte> into);

/// Fills `into` from the one run `extent` (into.size() <= extent.length), beginning `skip` bytes into it.
[[nodiscard]] Result<void> read_extent(const Extent& extent, std::uint64_t skip, std::span<std::byte> into);

/// Asks the host to have these bytes in memory soon, as far as they lie in host files: reads of parts of them
/// then do not wait one after another. Reads metadata as map() does; errors are for those reads to meet.
void will_need(const Source& source, std::uint64_t offset, std::uint64_t size);

/// Some bytes of a source, or none.
struct Piece {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// The same for many pieces in any order. What lies near each other is asked for as one: a request costs more
/// than the few bytes between.
void will_need(const Source& source, std::vector<Piece> pieces);

/// Reads one on-disk structure.
template <class T>
[[nodiscard]] Result<T> read_struct(const Source& source, std::uint64_t offset) {
  std::byte bytes[sizeof(T)];
  if (auto done = read(source, offset, bytes); !done) return std::unexpected(std::move(done).error());
  return from_bytes<T>(bytes);
}

/// The part [offset, offset + size) of another source: a partition, a volume.
class SubSource final : public Source {
 public:
  /// Errors: EINVAL if the range is not inside `parent`.
  [[nodiscard]] static Result<std::shared_ptr<const Source>> create(std::shared_ptr<const Source> parent,
                                                                    std::uint64_t offset, std::uint64_t size);

 private:
  SubSource(std::shared_ptr<const Source> parent, std::uint64_t offset, std::uint64_t size)
      : Source(size), parent_(std::move(parent)), offset_(offset) {}

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;

  const std::shared_ptr<const Source> parent_;
  const std::uint64_t offset_;
};

/// Bytes held in memory: inline file contents, hand-made images of tests, fuzz inputs.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::vector<std::byte> bytes) : Source(bytes.size()), bytes_(std::move(bytes)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;
  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override;

  const std::vector<std::byte> bytes_;
};

}  // namespace vmfs
