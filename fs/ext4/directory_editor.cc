// SPDX-License-Identifier: MIT
#include "fs/ext4/directory_editor.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include "fs/ext4/block_map.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/htree.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t head_size = 8;
constexpr std::uint32_t tail_size = 12;
constexpr std::uint8_t tail_type = 0xde;

struct Head {
  le32 inode;
  le16 rec_len;
  std::uint8_t name_len;
  std::uint8_t file_type;
};
static_assert(sizeof(Head) == head_size);

std::uint32_t needed(std::size_t name_length) {
  return static_cast<std::uint32_t>(name_length + head_size + 3) & ~3U;
}

/// Where a block's entries end.
std::uint32_t entries_end(const Geometry& geometry) {
  return geometry.block_size - (geometry.checksums() ? tail_size : 0);
}

void write_entry(std::span<std::byte> block, std::uint32_t offset, std::uint32_t length,
                 std::string_view name, std::uint32_t inode, std::uint8_t type) {
  // In blocks of 64 KiB the two low bits are the highest; all of a block is 65535.
  const std::uint32_t stored = length == 65536 ? 65535 : (length & 65532U) | ((length >> 16) & 3U);
  const Head head{inode, static_cast<std::uint16_t>(stored), static_cast<std::uint8_t>(name.size()), type};
  std::memcpy(block.data() + offset, &head, sizeof head);
  std::ranges::copy(std::as_bytes(std::span(name)), block.subspan(offset + head_size).begin());
}

std::uint8_t type_of(const Geometry& geometry, mode_t mode) {
  if (!geometry.has(incompat_filetype)) return 0;
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 1;
    case S_IFDIR:
      return 2;
    case S_IFCHR:
      return 3;
    case S_IFBLK:
      return 4;
    case S_IFIFO:
      return 5;
    case S_IFSOCK:
      return 6;
    case S_IFLNK:
      return 7;
    default:
      return 0;
  }
}

/// How many blocks all changes together may look through: a few seconds.
constexpr std::uint64_t most_work = std::uint64_t{1} << 20;

Result<InodeRecord> directory_inode(Workspace& workspace, std::uint32_t number) {
  InodeRecord inode = TRY(read_user_inode(workspace, Inode{number}));
  if (!inode.is(S_IFDIR)) return fail(ENOTDIR, "ext4: inode {} is no directory", number);
  if (inode.has(flag_inline_data) || inode.has(flag_encrypt) || !inode.has(flag_extents))
    return fail(EOPNOTSUPP, "ext4: directory inode {}: i_flags {:#x}: changing it is not supported", number,
                inode.flags);
  return inode;
}

}  // namespace

std::vector<std::byte> DirectoryEditor::empty_leaf() const {
  std::vector<std::byte> bytes(editor_.geometry().block_size);
  write_entry(bytes, 0, entries_end(editor_.geometry()), {}, 0, 0);
  return bytes;
}

Result<bool> DirectoryEditor::any_block(Workspace& workspace, const InodeRecord& directory,
                                        const BlockVisitor& visit) {
  const std::uint64_t blocks = TRY(directory_blocks(editor_.geometry(), directory));
  for (std::uint64_t logical = 0; logical < blocks;) {
    const Run run = TRY(map_blocks(workspace, directory, logical, blocks - logical));
    for (std::uint64_t i = 0; i < run.length && !run.hole; ++i) {
      if (++work_ > most_work)
        return fail(EFBIG, "ext4: directory inode {}: too many changes in {} blocks", directory.number,
                    blocks);
      if (TRY(visit(logical + i, run.first + i))) return true;
    }
    logical += run.length;
  }
  return false;
}

Result<void> DirectoryEditor::put_leaf(const InodeRecord& directory, std::uint64_t number,
                                       std::vector<std::byte> bytes) {
  const Geometry& geometry = editor_.geometry();
  if (geometry.checksums()) {
    const std::uint32_t end = entries_end(geometry);
    write_entry(bytes, end, tail_size, {}, 0, tail_type);
    const le32 checksum = crc32c(directory.checksum_seed, std::span(bytes).first(end));
    std::memcpy(bytes.data() + end + head_size, &checksum, sizeof checksum);
  }
  return editor_.put_block(number, std::move(bytes));
}

Result<bool> DirectoryEditor::insert_into(const InodeRecord& directory, std::uint64_t number,
                                          std::string_view name, std::uint32_t inode, std::uint8_t type) {
  const Geometry& geometry = editor_.geometry();
  auto bytes = TRY(editor_.block(number));
  const std::uint32_t end = entries_end(geometry);
  for (std::uint32_t offset = 0; offset < end;) {
    const DirectoryItem item = TRY(item_at(geometry, directory, std::span(bytes).first(end), offset));
    const std::uint32_t used = item.inode == 0 ? 0 : needed(item.name.size());
    if (item.length - std::min(used, item.length) >= needed(name.size())) {
      if (used != 0) write_entry(bytes, offset, used, item.name, item.inode, item.file_type);
      write_entry(bytes, offset + used, item.length - used, name, inode, type);
      TRY(put_leaf(directory, number, std::move(bytes)));
      return true;
    }
    offset += item.length;
  }
  return false;
}

Result<void> DirectoryEditor::forget_index(const InodeRecord& directory) {
  const Geometry& geometry = editor_.geometry();
  Workspace workspace = editor_.workspace();
  const auto convert = [&](std::uint64_t logical, std::uint64_t number) -> Result<bool> {
    const auto bytes = TRY(editor_.block(number));
    const DirectoryItem first = TRY(item_at(geometry, directory, bytes, 0));
    if (logical == 0) {
      auto root = empty_leaf();
      const DirectoryItem second = TRY(item_at(geometry, directory, bytes, needed(1)));
      write_entry(root, 0, needed(1), ".", first.inode, first.file_type);
      write_entry(root, needed(1), entries_end(geometry) - needed(1), "..", second.inode, second.file_type);
      TRY(put_leaf(directory, number, std::move(root)));
    } else if (first.inode == 0 && first.length == geometry.block_size) {
      TRY(put_leaf(directory, number, empty_leaf()));
    }
    return false;
  };
  (void)TRY(any_block(workspace, directory, convert));
  auto inode = TRY(editor_.inode(directory.number));
  DiskInode fields = fields_of(inode);
  fields.i_flags = fields.i_flags & ~std::uint32_t{flag_index};
  set_fields(inode, fields);
  return editor_.put_inode(directory.number, std::move(inode));
}

Result<void> DirectoryEditor::append(std::uint32_t directory, std::string_view name, std::uint32_t inode,
                                     std::uint8_t type, std::uint64_t blocks) {
  const Geometry& geometry = editor_.geometry();
  Workspace workspace = editor_.workspace();
  const InodeRecord record = TRY(directory_inode(workspace, directory));
  FileExtents tree = TRY(list_extents(workspace, record, most_extent_nodes));
  const std::uint64_t size = TRY(directory_blocks(geometry, record));
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t number = TRY(spare_());
    auto leaf = empty_leaf();
    if (i == 0) write_entry(leaf, 0, entries_end(geometry), name, inode, type);
    TRY(put_leaf(record, number, std::move(leaf)));
    put_extent(tree.extents, {.logical = size + i, .first = number, .length = 1, .unwritten = false});
  }
  auto bytes = TRY(editor_.inode(directory));
  TRY(write_extents(editor_, directory, bytes, tree, spare_));
  DiskInode fields = fields_of(bytes);
  const std::uint64_t length = (size + blocks) * geometry.block_size;
  fields.i_size_lo = static_cast<std::uint32_t>(length);
  fields.i_size_high = static_cast<std::uint32_t>(length >> 32);
  set_fields(bytes, fields);
  return editor_.put_inode(directory, std::move(bytes));
}

Result<bool> DirectoryEditor::add(std::uint32_t directory, std::string_view name, std::uint32_t inode) {
  const Geometry& geometry = editor_.geometry();
  Workspace workspace = editor_.workspace();
  const InodeRecord record = TRY(directory_inode(workspace, directory));
  const auto known = look_up(workspace, record, name);
  if (known) return false;
  if (known.error().code != ENOENT) return std::unexpected(known.error());
  const InodeRecord named = TRY(read_inode(workspace, inode));
  const std::uint8_t type = type_of(geometry, named.attributes.mode);

  if (record.has(flag_index) && geometry.has(compat_dir_index)) {
    const auto wanted = WantedName::create(workspace.volume(), record, name);
    const auto leaf = wanted ? TRY(leaf_for(workspace, record, *wanted)) : std::nullopt;
    if (leaf) {
      const Run run = TRY(map_blocks(workspace, record, *leaf, 1));
      if (!run.hole && TRY(insert_into(record, run.first, name, inode, type))) return true;
    }
    TRY(forget_index(record));
    TRY(append(directory, name, inode, type, 1));
    return true;
  }
  const auto insert = [&](std::uint64_t /*logical*/, std::uint64_t number) {
    return insert_into(record, number, name, inode, type);
  };
  if (TRY(any_block(workspace, record, insert))) return true;
  // Where the kernel makes an index of a directory's only block, there are three then.
  const std::uint64_t blocks = TRY(directory_blocks(geometry, record));
  const bool indexed = geometry.has(compat_dir_index) && blocks == 1;
  TRY(append(directory, name, inode, type, indexed ? 2 : 1));
  return true;
}

Result<bool> DirectoryEditor::remove(std::uint32_t directory, std::string_view name, std::uint32_t inode) {
  const Geometry& geometry = editor_.geometry();
  Workspace workspace = editor_.workspace();
  const InodeRecord record = TRY(directory_inode(workspace, directory));
  const auto known = look_up(workspace, record, name);
  if (!known && known.error().code == ENOENT) return false;
  if (!known) return std::unexpected(known.error());
  if (*known != Inode{inode}) return true;
  const auto wanted = WantedName::create(workspace.volume(), record, name);
  if (!wanted) return false;
  const auto take_out = [&](std::uint64_t /*logical*/, std::uint64_t number) -> Result<bool> {
    auto bytes = TRY(editor_.block(number));
    std::uint32_t before = 0;
    std::uint32_t before_length = 0;
    for (std::uint32_t offset = 0; offset < bytes.size();) {
      const DirectoryItem item = TRY(item_at(geometry, record, bytes, offset));
      if (item.inode == inode && wanted->matches(item.name)) {
        // The space goes to the entry in front, or becomes an unused one.
        if (before_length != 0) {
          const DirectoryItem front = TRY(item_at(geometry, record, bytes, before));
          write_entry(bytes, before, before_length + item.length, front.name, front.inode, front.file_type);
        } else {
          write_entry(bytes, offset, item.length, {}, 0, 0);
        }
        TRY(put_leaf(record, number, std::move(bytes)));
        return true;
      }
      before = offset;
      before_length = item.length;
      offset += item.length;
    }
    return false;
  };
  if (record.has(flag_index) && geometry.has(compat_dir_index)) {
    const auto leaf = TRY(leaf_for(workspace, record, *wanted));
    const Run run = leaf ? TRY(map_blocks(workspace, record, *leaf, 1)) : Run{};
    if (!run.hole && TRY(take_out(*leaf, run.first))) return true;
  }
  return any_block(workspace, record, take_out);
}

Result<void> DirectoryEditor::make(std::uint32_t directory, std::uint32_t parent) {
  const Geometry& geometry = editor_.geometry();
  Workspace workspace = editor_.workspace();
  const InodeRecord record = TRY(directory_inode(workspace, directory));
  const std::uint64_t number = TRY(spare_());
  const std::uint8_t type = type_of(geometry, S_IFDIR);
  auto leaf = empty_leaf();
  write_entry(leaf, 0, needed(1), ".", directory, type);
  write_entry(leaf, needed(1), entries_end(geometry) - needed(1), "..", parent, type);
  TRY(put_leaf(record, number, std::move(leaf)));
  FileExtents tree{.extents = {{.logical = 0, .first = number, .length = 1, .unwritten = false}},
                   .nodes = {}};
  auto bytes = TRY(editor_.inode(directory));
  TRY(write_extents(editor_, directory, bytes, tree, spare_));
  DiskInode fields = fields_of(bytes);
  fields.i_size_lo = geometry.block_size;
  fields.i_size_high = 0U;
  set_fields(bytes, fields);
  return editor_.put_inode(directory, std::move(bytes));
}

}  // namespace vmfs::ext4
