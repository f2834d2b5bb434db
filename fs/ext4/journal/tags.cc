// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/tags.h"

#include <cstring>

namespace vmfs::ext4 {

Tags::Tags(const Journal& journal, std::span<const std::byte> block)
    : journal_(journal), payload_(block.first(journal.payload_end())) {}

std::optional<Tag> Tags::next() {
  const std::size_t size = journal_.tag_size();
  if (offset_ > payload_.size() || size > payload_.size() - offset_) return std::nullopt;
  JournalTag disk{};
  std::memcpy(&disk, payload_.data() + offset_, size);
  const std::uint32_t flags = disk.t_flags;
  constexpr std::size_t uuid_size = 16;
  offset_ += size + ((flags & tag_same_uuid) != 0 ? 0 : uuid_size);
  if ((flags & tag_last) != 0) offset_ = payload_.size();

  Tag tag{.block = disk.t_blocknr, .checksum = disk.t_checksum, .escaped = (flags & tag_escaped) != 0};
  if (journal_.has(journal_64bit)) tag.block |= std::uint64_t{disk.t_blocknr_high} << 32;
  if (journal_.has(journal_csum_v3)) tag.checksum = disk.t_checksum_v3;
  return tag;
}

std::uint32_t count_tags(const Journal& journal, std::span<const std::byte> block) {
  Tags tags(journal, block);
  std::uint32_t count = 0;
  while (tags.next()) ++count;
  return count;
}

}  // namespace vmfs::ext4
