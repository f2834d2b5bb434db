// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fs/xfs/log/changes.h"
#include "fs/xfs/log/transaction.h"

namespace vmfs::xfs {

/// A buffer of the kernel's, by which the log names blocks: both in units of 512 bytes.
struct BufferName {
  std::uint64_t blkno = 0;
  std::uint64_t length = 0;

  auto operator<=>(const BufferName&) const = default;
};

/// The buffers that were freed somewhere in the log, and how often: what was logged of them before does not
/// count, for the blocks may hold a file's data since.
class CancelledBuffers {
 public:
  void add(const BufferName& buffer) { ++counts_[buffer]; }
  [[nodiscard]] bool contains(const BufferName& buffer) const { return counts_.contains(buffer); }
  /// One of the places where it was freed was passed.
  void remove(const BufferName& buffer) {
    const auto found = counts_.find(buffer);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }

 private:
  std::map<BufferName, std::uint32_t> counts_;
};

/// What is being done to the volume by the log's items.
class Replay {
 public:
  Replay(const Source& volume, Geometry geometry, std::uint64_t limit)
      : volume_size_(volume.size()), geometry_(std::move(geometry)), disk_(volume, limit) {}

  /// As the superblock says, the replayed one when it is.
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] ChangedSectors& disk() { return disk_; }
  [[nodiscard]] CancelledBuffers& cancelled() { return cancelled_; }

  /// Looks at the superblock again: the file system may have grown. Errors: as parse_superblock().
  [[nodiscard]] Result<void> update_geometry();

  /// Remembers that a buffer was changed by a transaction of this LSN.
  void changed(const BufferName& buffer) { changed_.push_back(buffer); }
  /// Remembers that the inode at `offset` was changed.
  void changed_inode(std::uint64_t offset) { inodes_.insert(offset); }

  /// Counts the blocks of trees that went to another inode. Errors: EUCLEAN (more than are worth it).
  [[nodiscard]] Result<void> visit_tree_block();

  /// Puts the LSN of the transactions so far into the buffers they changed: the kernel writes them out when
  /// the next transaction has another one, and will not replay anything older into them.
  [[nodiscard]] Result<void> stamp(std::uint64_t lsn);
  /// Makes the checksums of all that was changed right.
  [[nodiscard]] Result<void> seal();

 private:
  [[nodiscard]] Result<void> seal_buffer(const BufferName& buffer);

  const std::uint64_t volume_size_;
  Geometry geometry_;
  ChangedSectors disk_;
  CancelledBuffers cancelled_;
  std::vector<BufferName> changed_;                          // since the last stamp()
  std::unordered_map<std::uint64_t, std::uint64_t> sealed_;  // blkno and length of the buffers ever changed
  std::unordered_set<std::uint64_t> inodes_;
  std::uint64_t tree_blocks_ = 0;
};

/// Replays an item of each kind, as the function of the same name in the kernel does in its second pass.
/// `lsn` is the transaction's. Errors: EUCLEAN, without a place; EIO.
[[nodiscard]] Result<void> replay_buffer(Replay& replay, const LogItem& item, std::uint64_t lsn);
[[nodiscard]] Result<void> replay_inode(Replay& replay, const LogItem& item, std::uint64_t lsn);
[[nodiscard]] Result<void> replay_icreate(Replay& replay, const LogItem& item);

/// The head of a buffer item, checked. Errors: EUCLEAN.
[[nodiscard]] Result<BufLogFormat> buffer_head(const LogItem& item);
[[nodiscard]] inline BufferName name_of(const BufLogFormat& head) {
  return {.blkno = head.blf_blkno, .length = head.blf_len};
}

}  // namespace vmfs::xfs
