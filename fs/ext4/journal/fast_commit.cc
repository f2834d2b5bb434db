// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/fast_commit.h"

#include <vector>

#include "fs/ext4/crc32c.h"

namespace vmfs::ext4 {
namespace {

struct TagHead {
  le16 fc_tag;
  le16 fc_len;
};
static_assert(sizeof(TagHead) == 4);

struct Head {
  le32 fc_features;
  le32 fc_tid;
};

struct Tail {
  le32 fc_tid;
  le32 fc_crc;
};

constexpr std::size_t longest_name = 255;
constexpr std::size_t shortest_inode = 128;

bool is_length_right(std::uint16_t tag, std::size_t length, std::uint32_t inode_size) {
  switch (tag) {
    case fast_add_range:
      return length == sizeof(FastAddRange);
    case fast_del_range:
      return length == sizeof(FastDelRange);
    case fast_create:
    case fast_link:
    case fast_unlink:
      return length > sizeof(FastName) && length <= sizeof(FastName) + longest_name;
    case fast_inode:
      return length >= sizeof(le32) + shortest_inode && length <= sizeof(le32) + inode_size;
    case fast_pad:
      return true;
    case fast_tail:
      return length >= sizeof(Tail);
    case fast_head:
      return length == sizeof(Head);
    default:
      return false;
  }
}

/// Goes through the area tag by tag.
class Area {
 public:
  Area(const Journal& journal, std::uint32_t inode_size)
      : journal_(journal),
        inode_size_(inode_size),
        next_(journal.fast_first()),
        bytes_(journal.block_size()) {}

  /// The next tag with its head; nothing at the end of what can be one. No tag goes on into another block.
  Result<std::span<const std::byte>> next() {
    if (rest_.size() < sizeof(TagHead)) {
      if (next_ >= journal_.fast_end()) return std::span<const std::byte>{};
      TRY(journal_.read_block(next_++, bytes_));
      rest_ = bytes_;
    }
    const auto head = from_bytes<TagHead>(rest_);
    const std::size_t length = head.fc_len;
    if (length > rest_.size() - sizeof(TagHead) || !is_length_right(head.fc_tag, length, inode_size_))
      return std::span<const std::byte>{};
    const auto tag = rest_.first(sizeof(TagHead) + length);
    rest_ = rest_.subspan(tag.size());
    return tag;
  }

 private:
  const Journal& journal_;
  const std::uint32_t inode_size_;
  std::uint32_t next_;
  std::vector<std::byte> bytes_;
  std::span<const std::byte> rest_;
};

/// How many tags belong to completed fast commits.
Result<std::uint64_t> count_completed(const Journal& journal, std::uint32_t transaction,
                                      std::uint32_t inode_size) {
  Area area(journal, inode_size);
  std::uint64_t completed = 0;
  std::uint32_t crc = 0;
  for (std::uint64_t count = 1;; ++count) {
    const auto tag = TRY(area.next());
    if (tag.empty()) return completed;
    const std::uint16_t kind = from_bytes<TagHead>(tag).fc_tag;
    const auto value = tag.subspan(sizeof(TagHead));
    if (count == 1 && kind != fast_head) return completed;
    if (kind == fast_head) {
      const auto head = from_bytes<Head>(value);
      if (head.fc_features != 0 || head.fc_tid != transaction) return completed;
    }
    if (kind != fast_tail) {
      crc = crc32c(crc, tag);
      continue;
    }
    const auto tail = from_bytes<Tail>(value);
    crc = crc32c(crc, tag.first(sizeof(TagHead) + offsetof(Tail, fc_crc)));
    if (tail.fc_tid != transaction || tail.fc_crc != crc) return completed;
    completed = count;
    crc = 0;
  }
}

}  // namespace

Result<std::uint64_t> walk_fast_commits(const Journal& journal, std::uint32_t transaction,
                                        std::uint32_t inode_size,
                                        const std::function<Result<void>(const FastChange&)>& visit) {
  const std::uint64_t completed = TRY(count_completed(journal, transaction, inode_size));
  Area area(journal, inode_size);
  std::uint64_t changes = 0;
  for (std::uint64_t i = 0; i < completed; ++i) {
    const auto tag = TRY(area.next());
    if (tag.empty()) break;
    const auto kind = static_cast<FastTag>(std::uint16_t{from_bytes<TagHead>(tag).fc_tag});
    if (kind == fast_pad || kind == fast_tail || kind == fast_head) continue;
    TRY(visit({.tag = kind, .value = tag.subspan(sizeof(TagHead))}));
    ++changes;
  }
  return changes;
}

}  // namespace vmfs::ext4
