// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>

#include "formats/source.h"

namespace vmfs {

/// A regular file or block device of the host, open for reading. Every run is one `data` extent.
/// Its bytes may live behind the end when the file shrinks under us: reading there is EIO.
class HostFile final : public Source {
 public:
  enum class Kind : std::uint8_t { any, regular_only };

  /// Opens without following the file's own opinion: never blocks on a FIFO, never becomes a controlling
  /// terminal. Errors: errno of open(2) and fstat(2); EINVAL for what is neither a regular file nor (with
  /// `any`) a block device.
  [[nodiscard]] static Result<std::shared_ptr<const HostFile>> open(const std::filesystem::path& path,
                                                                    Kind kind = Kind::any);
  ~HostFile() override;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Bytes the file occupies on the host (st_blocks), not its length.
  [[nodiscard]] std::uint64_t allocated() const { return allocated_; }

  /// Whether another process holds QEMU's lock byte for writing (shared `WRITE` permission byte,
  /// block/file-posix.c).
  [[nodiscard]] bool open_for_writing_by_qemu() const;

 private:
  HostFile(std::filesystem::path path, int fd, std::uint64_t size, std::uint64_t allocated)
      : Source(size), path_(std::move(path)), fd_(fd), allocated_(allocated) {}

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override;

  const std::filesystem::path path_;
  const int fd_;
  const std::uint64_t allocated_;
};

}  // namespace vmfs
