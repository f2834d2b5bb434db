// SPDX-License-Identifier: MIT
#include "formats/source.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "formats/long_work.h"

namespace vmfs {
namespace {

// As pread(2). Who wants to know learns when it has to wait for the disk.
ssize_t read_some(int fd, std::uint64_t offset, std::span<std::byte> into) {
  const auto at = static_cast<off_t>(offset);
  if (long_work_matters()) {
    const iovec part{.iov_base = into.data(), .iov_len = into.size()};
    const ssize_t count = ::preadv2(fd, &part, 1, at, RWF_NOWAIT);
    if (count > 0) return count;
    announce_long_work();
  }
  return ::pread(fd, into.data(), into.size(), at);
}

Result<void> read_host(int fd, std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t count = read_some(fd, offset, into);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int code = errno;
      return fail(code, "cannot read {} bytes at {} of the image file: {}", into.size(), offset,
                  std::generic_category().message(code));
    }
    if (count == 0) return fail(EIO, "the image file ends at {}, {} bytes are missing", offset, into.size());
    into = into.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

bool inside(const Source& source, std::uint64_t offset, std::uint64_t length) {
  return offset <= source.size() && length <= source.size() - offset;
}

}  // namespace

Result<Extent> Source::map(std::uint64_t offset, std::uint64_t max_length) const {
  if (offset >= size_ || max_length == 0)
    return fail(EINVAL, "map of {} bytes at {} of {}", max_length, offset, size_);
  const std::uint64_t most = std::min(max_length, size_ - offset);
  const Extent extent = TRY(do_map(offset, most));
  // The one door all layers pass: a mistake in one of them must not become a read outside a buffer, or an
  // endless loop.
  if (extent.length == 0 || extent.length > most) {
    return fail(EIO, "a run of {} bytes at {}, where {} were asked for", extent.length, offset, most);
  }
  return extent;
}

Result<void> Source::decode(std::uint64_t offset, std::span<std::byte> into) const {
  if (!inside(*this, offset, into.size()))
    return fail(EINVAL, "decode of {} bytes at {} of {}", into.size(), offset, size_);
  return do_decode(offset, into);
}

Result<void> Source::do_decode(std::uint64_t offset, std::span<std::byte> into) const {
  return fail(EINVAL, "nothing to decode at {} ({} bytes)", offset, into.size());
}

Result<void> read_extent(const Extent& extent, std::uint64_t skip, std::span<std::byte> into) {
  if (skip > extent.length || into.size() > extent.length - skip) {
    return fail(EINVAL, "read of {} bytes at {} of a run of {}", into.size(), skip, extent.length);
  }
  switch (extent.kind) {
    case Extent::Kind::data:
      return read_host(extent.fd, extent.offset + skip, into);
    case Extent::Kind::encoded:
      return extent.decoder->decode(extent.offset + skip, into);
    case Extent::Kind::zero:
      break;
  }
  std::ranges::fill(into, std::byte{0});
  return {};
}

Result<void> read(const Source& source, std::uint64_t offset, std::span<std::byte> into) {
  if (!inside(source, offset, into.size())) {
    return fail(EINVAL, "read of {} bytes at {} is not inside the {} bytes there are", into.size(), offset,
                source.size());
  }
  while (!into.empty()) {
    const Extent extent = TRY(source.map(offset, into.size()));
    const auto length = static_cast<std::size_t>(extent.length);
    TRY(read_extent(extent, 0, into.first(length)));
    into = into.subspan(length);
    offset += length;
  }
  return {};
}

void will_need(const Source& source, std::uint64_t offset, std::uint64_t size) {
  while (size > 0) {
    const auto extent = source.map(offset, size);
    if (!extent) return;
    if (extent->kind == Extent::Kind::data) {
      (void)::posix_fadvise(extent->fd, static_cast<off_t>(extent->offset),
                            static_cast<off_t>(extent->length), POSIX_FADV_WILLNEED);
    }
    offset += extent->length;
    size -= extent->length;
  }
}

void will_need(const Source& source, std::vector<Piece> pieces) {
  constexpr std::uint64_t near = std::uint64_t{32} << 10;
  std::erase_if(pieces, [](const Piece& piece) { return piece.size == 0; });
  std::ranges::sort(pieces, {}, &Piece::offset);
  for (auto piece = pieces.begin(); piece != pieces.end();) {
    std::uint64_t end = piece->offset + piece->size;
    auto next = piece + 1;
    for (; next != pieces.end() && next->offset <= end + near; ++next)
      end = std::max(end, next->offset + next->size);
    will_need(source, piece->offset, end - piece->offset);
    piece = next;
  }
}

Result<std::shared_ptr<const Source>> SubSource::create(std::shared_ptr<const Source> parent,
                                                        std::uint64_t offset, std::uint64_t size) {
  if (!inside(*parent, offset, size)) {
    return fail(EINVAL, "{} bytes at {} are not inside the {} bytes there are", size, offset, parent->size());
  }
  return std::shared_ptr<const Source>(new SubSource(std::move(parent), offset, size));
}

Result<Extent> SubSource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  return parent_->map(offset_ + offset, max_length);
}

Result<Extent> MemorySource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  return Extent::encoded(*this, offset, max_length);
}

Result<void> MemorySource::do_decode(std::uint64_t offset, std::span<std::byte> into) const {
  std::ranges::copy(std::span(bytes_).subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
  return {};
}

}  // namespace vmfs
