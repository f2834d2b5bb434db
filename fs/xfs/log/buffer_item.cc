// SPDX-License-Identifier: MIT
// Items of buffers: the changed parts of a metadata block.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>

#include "fs/xfs/log/replay.h"
#include "fs/xfs/log/self.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t max_buffer = 65536 / log_block_size;  // XFS_MAX_BLOCKSIZE

// A changed part: where in the buffer, and its bytes.
struct Part {
  std::size_t offset = 0;
  std::span<const std::byte> bytes;
};

bool bit_at(std::span<const std::byte> map, std::size_t bit) {
  const std::uint32_t word = from_bytes<le32>(map.subspan(bit / 32 * sizeof(le32)));
  return (word >> (bit % 32) & 1U) != 0;
}

// The parts that the bitmap names, one for each region. What was logged as several regions may be one run of
// bits.
Result<std::vector<Part>> parts_of(const LogItem& item, const BufLogFormat& head) {
  const std::span<const std::byte> map = item.region(0).subspan(sizeof head);
  const std::size_t bits = std::size_t{head.blf_map_size} * 32;
  const std::size_t size = std::size_t{head.blf_len} * log_block_size;
  std::vector<Part> parts;
  std::size_t region = 1;
  for (std::size_t bit = 0; bit < bits;) {
    if (!bit_at(map, bit)) {
      ++bit;
      continue;
    }
    std::size_t end = bit + 1;
    while (end < bits && bit_at(map, end)) ++end;
    const std::span<const std::byte> bytes = item.region(region++);
    const std::size_t chunks = std::min(end - bit, bytes.size() / blf_chunk);
    if (chunks == 0 || (bit + chunks) * blf_chunk > size)
      return fail(EUCLEAN, "buffer at {}: blf_data_map does not fit the regions",
                  std::uint64_t{head.blf_blkno});
    parts.push_back({.offset = bit * blf_chunk, .bytes = bytes.first(chunks * blf_chunk)});
    bit += chunks;
  }
  return parts;
}

// The LSN that the buffer has on the disk, if it is one whose LSN counts: then nothing older goes into it
// (xlog_recover_get_buf_lsn()).
Result<std::optional<std::uint64_t>> lsn_of(Replay& replay, std::uint64_t offset) {
  std::array<std::byte, self_fields_end> head{};
  TRY(replay.disk().read(offset, head));
  const auto fields = self_fields(replay.geometry(), head);
  if (!fields || !fields->logged) return std::optional<std::uint64_t>{};
  // A block of another file system that was here once.
  const auto at = [&](std::size_t field) { return std::span<const std::byte>(head).subspan(field); };
  if (from_bytes<Uuid>(at(fields->uuid)) != replay.geometry().meta_uuid)
    return std::optional<std::uint64_t>{};
  const std::uint64_t lsn = from_bytes<be64>(at(fields->lsn));
  if (lsn == 0 || lsn == ~0ULL) return std::optional<std::uint64_t>{};
  return lsn;
}

// Of a buffer of inodes only the links of the list of unlinked ones are meant: all else that its parts hold
// may be older than what the inodes' own items say (xlog_recover_do_inode_buffer()).
Result<void> replay_unlinked(Replay& replay, std::uint64_t start, const BufLogFormat& head,
                             const std::vector<Part>& parts) {
  constexpr std::size_t field = offsetof(Dinode, di_next_unlinked);
  const Geometry& g = replay.geometry();
  const std::size_t size = std::size_t{head.blf_len} * log_block_size;
  for (std::size_t inode = 0; inode + g.inode_size <= size; inode += g.inode_size) {
    const std::size_t at = inode + field;
    const auto part = std::ranges::find_if(parts, [&](const Part& p) {
      return p.offset <= at && at + sizeof(be32) <= p.offset + p.bytes.size();
    });
    if (part == parts.end()) continue;
    const auto next = from_bytes<be32>(part->bytes.subspan(at - part->offset));
    if (next == 0) return fail(EUCLEAN, "buffer at {}: di_next_unlinked 0", std::uint64_t{head.blf_blkno});
    TRY(replay.disk().put(start + at, next));
    replay.changed_inode(start + inode);
  }
  return {};
}

}  // namespace

Result<BufLogFormat> buffer_head(const LogItem& item) {
  const std::span<const std::byte> bytes = item.region(0);
  if (bytes.size() < sizeof(BufLogFormat)) return fail(EUCLEAN, "a buffer item of {} bytes", bytes.size());
  const auto head = from_bytes<BufLogFormat>(bytes);
  if (head.blf_map_size > (bytes.size() - sizeof head) / sizeof(le32))
    return fail(EUCLEAN, "buffer at {}: blf_map_size {}", std::uint64_t{head.blf_blkno},
                std::uint32_t{head.blf_map_size});
  if (head.blf_blkno >> 54 != 0 || head.blf_len == 0 || head.blf_len > max_buffer)
    return fail(EUCLEAN, "a buffer at {:#x} of {} sectors", std::uint64_t{head.blf_blkno},
                std::uint16_t{head.blf_len});
  return head;
}

Result<void> replay_buffer(Replay& replay, const LogItem& item, std::uint64_t lsn) {
  const BufLogFormat head = TRY(buffer_head(item));
  const BufferName name = name_of(head);
  const std::uint32_t flags = head.blf_flags;
  if ((flags & blf::cancel) != 0) {
    replay.cancelled().remove(name);
    return {};
  }
  // Quotas are nothing that a reader sees.
  if (replay.cancelled().contains(name) || (flags & blf::dquot_bufs) != 0) return {};
  const std::uint64_t start = name.blkno * log_block_size;
  const auto known = TRY(lsn_of(replay, start));
  if (known && *known >= lsn) return {};
  const std::vector<Part> parts = TRY(parts_of(item, head));
  if ((flags & blf::inode_buf) != 0) return replay_unlinked(replay, start, head, parts);
  for (const Part& part : parts) TRY(replay.disk().write(start + part.offset, part.bytes));
  replay.changed(name);
  return start == 0 ? replay.update_geometry() : Result<void>{};
}

}  // namespace vmfs::xfs
