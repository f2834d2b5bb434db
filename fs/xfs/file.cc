// SPDX-License-Identifier: MIT
#include "fs/xfs/file.h"

#include <algorithm>

namespace vmfs::xfs {
namespace {

// Maps a file whose extents fit into its inode.
class ExtentFile final : public Source {
 public:
  ExtentFile(std::shared_ptr<const Volume> volume, std::uint64_t size, std::vector<Mapping> runs)
      : Source(size), volume_(std::move(volume)), runs_(std::move(runs)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint32_t log = volume_->geometry.block_log;
    const std::uint64_t block = offset >> log;
    const auto next = std::ranges::upper_bound(runs_, block, {}, &Mapping::file_block);
    if (next != runs_.begin()) {
      const Mapping& run = *std::prev(next);
      if (block - run.file_block < run.count) {
        const std::uint64_t skip = offset - (run.file_block << log);
        const std::uint64_t length = std::min(max_length, (run.count << log) - skip);
        return volume_->source->map(run.offset + skip, length);
      }
    }
    if (next == runs_.end()) return Extent::zero(max_length);
    return Extent::zero(std::min(max_length, (next->file_block << log) - offset));
  }

  const std::shared_ptr<const Volume> volume_;
  const std::vector<Mapping> runs_;
};

// Maps a file whose extents are in a tree.
class TreeFile final : public Source {
 public:
  TreeFile(std::shared_ptr<const Volume> volume, const InodeCore& inode)
      : Source(inode.size),
        volume_(std::move(volume)),
        root_(inode.data.bytes.begin(), inode.data.bytes.end()),
        map_(data_map(inode)) {
    map_.fork.bytes = root_;
  }

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint32_t log = volume_->geometry.block_log;
    const Mapping run = TRY(find_mapping(*volume_, map_, offset >> log));
    const std::uint64_t skip = offset & ((1ULL << log) - 1);
    // A hole may end where shifting by the block size would overflow.
    const std::uint64_t length =
        run.count > (max_length + skip) >> log ? max_length : std::min(max_length, (run.count << log) - skip);
    if (run.state == Mapping::State::written) return volume_->source->map(run.offset + skip, length);
    return Extent::zero(length);
  }

  const std::shared_ptr<const Volume> volume_;
  const std::vector<std::byte> root_;
  ForkMap map_;
};

// The extents of a list that hold something, neighbours merged. What lies behind the end of the file
// (preallocated) is left out.
Result<std::vector<Mapping>> decode_extents(const Volume& volume, const InodeCore& inode) {
  std::vector<Mapping> runs;
  const std::uint32_t log = volume.geometry.block_log;
  const std::uint64_t end = (inode.size >> log) + 1;
  const ForkMap map = data_map(inode);
  for (std::uint64_t block = 0; block < end;) {
    const Mapping run = TRY(find_mapping(volume, map, block));
    block += run.count;
    if (run.state != Mapping::State::written) continue;
    const Mapping* last = runs.empty() ? nullptr : &runs.back();
    if (last != nullptr && last->file_block + last->count == run.file_block &&
        last->offset + (last->count << log) == run.offset)
      runs.back().count += run.count;
    else
      runs.push_back(run);
  }
  return runs;
}

}  // namespace

Result<std::shared_ptr<const Source>> open_file(std::shared_ptr<const Volume> volume,
                                                const InodeCore& inode) {
  if (inode.realtime && inode.data.extents != 0)
    return fail(EOPNOTSUPP, "xfs: inode {}: its contents are in the realtime section, which cannot be read",
                inode.number);
  if (inode.data.format == ForkFormat::btree) return std::make_shared<TreeFile>(std::move(volume), inode);
  auto runs = TRY(decode_extents(*volume, inode));
  return std::make_shared<ExtentFile>(std::move(volume), inode.size, std::move(runs));
}

}  // namespace vmfs::xfs
