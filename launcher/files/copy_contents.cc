// SPDX-License-Identifier: MIT
#include "launcher/files/copy_contents.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace vmfs {
namespace {

constexpr std::uint64_t piece = std::uint64_t{1} << 20;
// One call moves no more, so that a progress bar moves and an interrupt is heard.
constexpr std::uint64_t kernel_piece = std::uint64_t{64} << 20;
// Below, a read and a write cost less than the kernel's preparations.
constexpr std::uint64_t least_for_kernel = std::uint64_t{64} << 10;

std::unexpected<Error> system_error() {
  const int code = errno;
  return fail(code, "{}", std::generic_category().message(code));
}

Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return {};
}

}  // namespace

Result<void> ContentsCopier::copy(const Source& source, int fd) {
  constexpr std::uint64_t max_file = INT64_MAX;
  if (source.size() > max_file) return fail(EFBIG, "a file of {} bytes", source.size());
  for (std::uint64_t offset = 0; offset < source.size();) {
    const Extent extent = TRY(source.map(offset, source.size() - offset));
    if (extent.kind != Extent::Kind::zero) TRY(copy_extent(extent, fd, offset));
    offset += extent.length;
  }
  if (::ftruncate(fd, static_cast<off_t>(source.size())) != 0) return system_error();
  return {};
}

Result<void> ContentsCopier::copy_extent(const Extent& extent, int fd, std::uint64_t at) {
  std::uint64_t done = 0;
  if (extent.kind == Extent::Kind::data && extent.length >= least_for_kernel && kernel_copies_) {
    done = TRY(copy_in_kernel(extent, fd, at));
  }
  if (buffer_.empty()) buffer_.resize(piece);
  while (done < extent.length) {
    const auto bytes =
        std::span(buffer_).first(static_cast<std::size_t>(std::min(piece, extent.length - done)));
    TRY(read_extent(extent, done, bytes));
    TRY(write_at(fd, bytes, at + done));
    done += bytes.size();
    progress_.add(bytes.size());
  }
  return {};
}

Result<std::uint64_t> ContentsCopier::copy_in_kernel(const Extent& extent, int fd, std::uint64_t at) {
  std::uint64_t done = 0;
  while (done < extent.length) {
    auto from = static_cast<off_t>(extent.offset + done);
    auto to = static_cast<off_t>(at + done);
    const auto wanted = static_cast<std::size_t>(std::min(kernel_piece, extent.length - done));
    const ssize_t copied = ::copy_file_range(extent.fd, &from, fd, &to, wanted, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
      return system_error();
    // It cannot, or the image ends: what is left is read, and that says why if it fails too.
    if (copied <= 0) {
      kernel_copies_ = false;
      break;
    }
    done += static_cast<std::uint64_t>(copied);
    progress_.add(static_cast<std::uint64_t>(copied));
  }
  return done;
}

}  // namespace vmfs
