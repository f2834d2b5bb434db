// SPDX-License-Identifier: MIT
#include "fs/xfs/dir_data.h"

#include <cstddef>

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t alignment = 8;
constexpr std::uint32_t tag_size = sizeof(be16);  // an entry ends with its own offset
constexpr std::uint8_t ftype_max = 9;             // XFS_DIR3_FT_MAX

}  // namespace

std::uint32_t data_entry_size(const Geometry& geometry, std::size_t length) {
  const std::size_t size = sizeof(DirDataEntry) + length + (geometry.ftype ? 1 : 0) + tag_size;
  return static_cast<std::uint32_t>((size + alignment - 1) / alignment * alignment);
}

std::uint32_t data_header_size(const Geometry& geometry) {
  return geometry.v5 ? sizeof(Dir3DataHdr) : sizeof(Dir2DataHdr);
}

std::unexpected<Error> DirData::damaged(std::uint32_t offset, std::string_view why) const {
  return corrupt("inode {}: directory block {}: entry at {}: {}", inode_, number_, offset, why);
}

Result<void> DirData::find_parts() {
  const std::span<const std::byte> bytes = block_.bytes();
  const std::uint32_t magic = from_bytes<be32>(bytes);
  const bool single = magic == (geometry_->v5 ? dir_magic::block3 : dir_magic::block);
  end_ = static_cast<std::uint32_t>(bytes.size());
  if (magic == (geometry_->v5 ? dir_magic::data3 : dir_magic::data)) return {};
  if (!single || number_ != 0)
    return corrupt("inode {}: directory block {}: magic {:#010x}", inode_, number_, magic);
  const std::size_t tail = bytes.size() - sizeof(DirBlockTail);
  const std::uint32_t count = from_bytes<DirBlockTail>(bytes.subspan(tail)).count;
  if (count > (tail - data_header_size(*geometry_)) / sizeof(DirLeafEntry))
    return corrupt("inode {}: directory block {}: count {}", inode_, number_, count);
  index_ = bytes.subspan(tail - count * sizeof(DirLeafEntry), count * sizeof(DirLeafEntry));
  end_ = static_cast<std::uint32_t>(tail - index_.size());
  return {};
}

Result<void> DirData::check_header(const Volume& volume, std::uint64_t offset) const {
  if (!geometry_->v5) return {};
  const auto header = from_bytes<Dir3DataHdr>(block_.bytes());
  const SelfDescription self{.crc_field = offsetof(Dir3DataHdr, crc),
                             .crc = header.crc,
                             .blkno = header.blkno,
                             .owner = header.owner,
                             .uuid = header.uuid};
  return check_self(volume, block_.bytes(), self, offset, inode_,
                    fmt::format("inode {}: directory block {}", inode_, number_));
}

Result<void> DirData::check_entries() const {
  for (std::uint32_t offset = data_header_size(*geometry_);;) {
    const auto entry = TRY(next(offset));
    if (!entry) break;
    offset = entry->offset + entry->size;
  }
  for (std::size_t i = sizeof(DirLeafEntry); i < index_.size(); i += sizeof(DirLeafEntry)) {
    const std::uint32_t previous = from_bytes<be32>(index_.subspan(i - sizeof(DirLeafEntry)));
    if (from_bytes<be32>(index_.subspan(i)) < previous)
      return corrupt("inode {}: directory block {}: index out of order", inode_, number_);
  }
  return {};
}

Result<DirData> DirData::read(const Volume& volume, const InodeCore& directory, std::uint64_t index) {
  const Geometry& g = volume.geometry;
  const BlockKey key{.owner = directory.number, .number = index, .kind = BlockKind::dir_data};
  if (auto cached = volume.cache.find(key)) {
    DirData data(volume, directory, index, *std::move(cached));
    TRY(data.find_parts());
    return data;
  }
  DirData data(volume, directory, index, Block(g.dir_block_size()));
  const std::uint64_t file_block = index << (g.dir_block_log - g.block_log);
  const std::uint64_t offset =
      TRY(read_fork(volume, data_map(directory), file_block, data.block_.writable()));
  TRY(data.find_parts());
  TRY(data.check_header(volume, offset));
  TRY(data.check_entries());
  volume.cache.insert(key, data.block_);
  return data;
}

Result<std::optional<DirEntry>> DirData::next(std::uint32_t offset) const {
  while (offset < end_) {
    if (end_ - offset < alignment) return damaged(offset, "cut off");
    const auto unused = from_bytes<DirDataUnused>(block_.bytes().subspan(offset));
    if (unused.freetag != dir_free_tag) return TRY(at(offset));
    const std::uint32_t length = unused.length;
    if (length == 0 || length % alignment != 0 || length > end_ - offset)
      return damaged(offset, "free space of a bad length");
    offset += length;
  }
  return std::optional<DirEntry>{};
}

Result<DirEntry> DirData::at(std::uint32_t offset) const {
  if (offset < data_header_size(*geometry_) || offset >= end_ || offset % alignment != 0 ||
      end_ - offset < data_entry_size(*geometry_, 1))
    return damaged(offset, "outside the block");
  const std::span<const std::byte> bytes = block_.bytes().subspan(offset);
  const auto head = from_bytes<DirDataEntry>(bytes);
  const std::uint32_t size = data_entry_size(*geometry_, head.namelen);
  if (head.namelen == 0 || size > end_ - offset) return damaged(offset, "bad length of the name");
  if (from_bytes<be16>(bytes.subspan(size - tag_size)) != offset) return damaged(offset, "bad tag");
  if (!geometry_->valid_entry(head.inumber)) return damaged(offset, "bad inode number");
  DirEntry entry{.inode = head.inumber, .offset = offset, .size = size};
  const auto name = bytes.subspan(sizeof(DirDataEntry), head.namelen);
  entry.name = {reinterpret_cast<const char*>(name.data()), name.size()};
  if (!valid_name(entry.name)) return damaged(offset, "bad name");
  if (geometry_->ftype)
    entry.ftype = std::to_integer<std::uint8_t>(bytes[sizeof(DirDataEntry) + head.namelen]);
  if (entry.ftype >= ftype_max) return damaged(offset, "bad file type");
  return entry;
}

}  // namespace vmfs::xfs
