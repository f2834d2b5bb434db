// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "formats/source.h"
#include "launcher/files/progress.h"

namespace vmfs {

/// Copies contents of guest files into host files. Plain data goes from file to file inside the kernel, which
/// shares the blocks where the host's file system can; holes stay holes. Used by one thread.
class ContentsCopier {
 public:
  explicit ContentsCopier(Progress& progress) : progress_(progress) {}

  /// Fills the empty file `fd`. Errors: as Source::map() and read(); those of pwrite(2) and ftruncate(2).
  [[nodiscard]] Result<void> copy(const Source& source, int fd);

 private:
  [[nodiscard]] Result<void> copy_extent(const Extent& extent, int fd, std::uint64_t at);
  [[nodiscard]] Result<std::uint64_t> copy_in_kernel(const Extent& extent, int fd, std::uint64_t at);

  Progress& progress_;
  bool kernel_copies_ = true;  ///< until it says that it cannot, between these file systems
  std::vector<std::byte> buffer_;
};

}  // namespace vmfs
