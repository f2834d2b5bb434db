// SPDX-License-Identifier: MIT
#include "fs/xfs/symlink.h"

#include <algorithm>
#include <cstddef>

namespace vmfs::xfs {
namespace {

Result<void> check_header(const Volume& volume, const InodeCore& inode, const Mapping& extent,
                          std::span<const std::byte> bytes, std::uint64_t position, std::uint64_t length) {
  const auto header = from_bytes<DsymlinkHdr>(bytes);
  const std::string what = fmt::format("inode {}: symbolic link block at {}", inode.number, extent.offset);
  if (header.sl_magic != symlink_magic)
    return corrupt("{}: sl_magic {:#010x}", what, std::uint32_t{header.sl_magic});
  const SelfDescription self{.crc_field = offsetof(DsymlinkHdr, sl_crc),
                             .crc = header.sl_crc,
                             .blkno = header.sl_blkno,
                             .owner = header.sl_owner,
                             .uuid = header.sl_uuid};
  TRY(check_self(volume, bytes, self, extent.offset, inode.number, what));
  if (header.sl_offset != position || header.sl_bytes != length)
    return corrupt("{}: sl_offset {}, sl_bytes {}", what, std::uint32_t{header.sl_offset},
                   std::uint32_t{header.sl_bytes});
  return {};
}

Result<std::string> read_remote(const Volume& volume, const InodeCore& inode) {
  const Geometry& g = volume.geometry;
  const std::size_t header = g.v5 ? sizeof(DsymlinkHdr) : 0;
  const std::uint64_t payload = g.block_size - header;
  const std::uint64_t blocks = (inode.size + payload - 1) / payload;  // XFS_SYMLINK_BUF_SPACE
  std::string target;
  // Each extent is one buffer with one header, however long it is.
  for (std::uint64_t block = 0; target.size() < inode.size;) {
    if (block >= blocks) return corrupt("inode {}: symbolic link too short", inode.number);
    Mapping extent = TRY(find_mapping(volume, data_map(inode), block));
    if (extent.state != Mapping::State::written)
      return corrupt("inode {}: block {} of a symbolic link is not there", inode.number, block);
    extent.count = std::min(extent.count, blocks - block);
    Block buffer(static_cast<std::size_t>(extent.count << g.block_log));
    TRY(read(*volume.source, extent.offset, buffer.writable()));
    const auto length = std::min<std::uint64_t>(inode.size - target.size(), buffer.bytes().size() - header);
    if (g.v5) TRY(check_header(volume, inode, extent, buffer.bytes(), target.size(), length));
    const auto text = buffer.bytes().subspan(header, static_cast<std::size_t>(length));
    std::ranges::transform(text, std::back_inserter(target),
                           [](std::byte b) { return static_cast<char>(b); });
    block += extent.count;
  }
  return target;
}

}  // namespace

Result<std::string> read_symlink(const Volume& volume, const InodeCore& inode) {
  if (inode.size > symlink_max)
    return corrupt("inode {}: symbolic link of {} bytes", inode.number, inode.size);
  std::string target;
  if (inode.data.format == ForkFormat::local) {
    const auto text = inode.data.bytes.first(static_cast<std::size_t>(inode.size));
    target.assign(reinterpret_cast<const char*>(text.data()), text.size());
  } else {
    target = TRY(read_remote(volume, inode));
  }
  if (target.find('\0') != std::string::npos)
    return corrupt("inode {}: symbolic link with a null byte", inode.number);
  return target;
}

}  // namespace vmfs::xfs
