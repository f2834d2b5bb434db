// SPDX-License-Identifier: MIT
#include "launcher/files/same_contents.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

namespace vmfs {
namespace {

constexpr std::uint64_t piece = 1U << 20;

}  // namespace

Result<ContentComparer::HostFile> ContentComparer::host_file(int fd) {
  if (const auto known = files_.find(fd); known != files_.end()) return known->second;
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail(errno, "stat of the image file");
  return files_.emplace(fd, HostFile{status.st_dev, status.st_ino}).first->second;
}

bool ContentComparer::same_place(const Extent& a, const Extent& b) {
  if (a.kind == Extent::Kind::zero && b.kind == Extent::Kind::zero) return true;
  if (a.kind != Extent::Kind::data || b.kind != Extent::Kind::data || a.offset != b.offset) return false;
  if (a.fd == b.fd) return true;
  const auto file_a = host_file(a.fd);
  const auto file_b = host_file(b.fd);
  return file_a && file_b && *file_a == *file_b;
}

Result<bool> ContentComparer::same_bytes(const Source& a, const Source& b, std::uint64_t offset,
                                         std::uint64_t length) {
  for (auto& buffer : buffers_) buffer.resize(piece);
  while (length != 0) {
    const auto part = static_cast<std::size_t>(std::min(length, piece));
    const auto bytes_a = std::span(buffers_[0]).first(part);
    const auto bytes_b = std::span(buffers_[1]).first(part);
    TRY(read(a, offset, bytes_a));
    TRY(read(b, offset, bytes_b));
    bytes_read_ += part;
    if (std::memcmp(bytes_a.data(), bytes_b.data(), part) != 0) return false;
    tick_(part);
    offset += part;
    length -= part;
  }
  return true;
}

Result<bool> ContentComparer::same(const Source& a, const Source& b) {
  if (a.size() != b.size()) return false;
  // Runs of a few blocks are read together.
  std::uint64_t start = 0;  // from here to `offset` nothing was compared yet
  for (std::uint64_t offset = 0; offset < a.size();) {
    const Extent extent_a = TRY(a.map(offset, a.size() - offset));
    const Extent extent_b = TRY(b.map(offset, b.size() - offset));
    const std::uint64_t length = std::min(extent_a.length, extent_b.length);
    if (same_place(extent_a, extent_b)) {
      const bool same = TRY(same_bytes(a, b, start, offset - start));
      if (!same) return false;
      tick_(length);
      start = offset + length;
    } else if (offset + length - start >= piece) {
      const bool same = TRY(same_bytes(a, b, start, offset + length - start));
      if (!same) return false;
      start = offset + length;
    }
    offset += length;
  }
  return same_bytes(a, b, start, a.size() - start);
}

}  // namespace vmfs
