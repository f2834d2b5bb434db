// SPDX-License-Identifier: MIT
#include "launcher/files/contents.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace vmfs {

Result<void> read_through(const Source& source, const ByteSink& sink) {
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(piece, source.size())));
  for (std::uint64_t offset = 0; offset < source.size();) {
    const auto bytes = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), source.size() - offset)));
    TRY(read(source, offset, bytes));
    if (!sink(bytes)) return {};
    offset += bytes.size();
  }
  return {};
}

Result<void> write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(errno, "{}", std::generic_category().message(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

void widen_pipe(int fd) {
  constexpr int unprivileged = 1 << 20;  // fs.pipe-max-size, unless somebody changed it
  if (::fcntl(fd, F_GETPIPE_SZ) < unprivileged) ::fcntl(fd, F_SETPIPE_SZ, unprivileged);
}

}  // namespace vmfs
