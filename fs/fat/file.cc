// SPDX-License-Identifier: MIT
#include "fs/fat/file.h"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vmfs::fat {
namespace {

/// A file as a chain of clusters. Of a chain every 256th is known, so that memory stays small whatever the
/// file and a read follows few links.
class File final : public Source {
 public:
  File(std::shared_ptr<const Volume> volume, std::uint32_t size) : Source(size), volume_(std::move(volume)) {}

  /// Follows the chain as far as the size wants it.
  void explore(Cluster start) {
    const std::uint64_t cluster_size = volume_->geometry.cluster_size;
    const std::uint64_t wanted = (size() + cluster_size - 1) / cluster_size;
    if (wanted == 0) return;
    if (!volume_->geometry.is_valid(start)) {
      damage_ = {EIO, fmt::format("fat: a file begins at cluster {}", start)};
      return;
    }
    for (Cluster cluster = start;;) {
      if (known_ % step == 0) steps_.push_back(cluster);
      if (++known_ == wanted) return;
      const auto next = volume_->table.follow(cluster);
      if (!next || *next == AllocationTable::end) {
        damage_ = next ? Error{EIO, fmt::format("fat: {} clusters of a file of {} bytes", known_, size())}
                       : next.error();
        return;
      }
      cluster = *next;
    }
  }

 private:
  static constexpr std::uint64_t step = 256;
  static constexpr std::uint64_t most_in_a_run = 65536;

  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const Geometry& g = volume_->geometry;
    const std::uint64_t index = offset / g.cluster_size;
    if (index >= known_) return std::unexpected(damage_);
    Cluster first = steps_[static_cast<std::size_t>(index / step)];
    for (std::uint64_t i = index % step; i != 0; --i) first = TRY(volume_->table.follow(first));
    const std::uint64_t within = offset % g.cluster_size;
    const std::uint64_t wanted = std::min((within + max_length - 1) / g.cluster_size + 1, most_in_a_run);
    std::uint64_t count = 1;
    for (Cluster last = first; count < std::min(wanted, known_ - index); ++count) {
      const Cluster next = TRY(volume_->table.follow(last));
      if (next != last + 1) break;
      last = next;
    }
    const std::uint64_t start = g.offset_of(first) + within;
    if (start >= volume_->source->size())
      return fail(EIO, "fat: cluster {} is behind the end of the volume", first);
    return volume_->source->map(start, std::min(max_length, count * g.cluster_size - within));
  }

  const std::shared_ptr<const Volume> volume_;
  std::vector<Cluster> steps_;  ///< clusters 0, 256, 512, ... of the file
  std::uint64_t known_ = 0;     ///< clusters of the file that the chain has
  Error damage_{EIO, ""};       ///< what is behind them
};

}  // namespace

Result<std::shared_ptr<const Source>> open_file(std::shared_ptr<const Volume> volume, Cluster start,
                                                std::uint32_t size) {
  auto file = std::make_shared<File>(std::move(volume), size);
  file->explore(start);
  return file;
}

}  // namespace vmfs::fat
