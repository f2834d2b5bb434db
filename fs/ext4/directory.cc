// SPDX-License-Identifier: MIT
#include "fs/ext4/directory.h"

#include <algorithm>
#include <cerrno>

#include <dirent.h>

#include "fs/ext4/block_map.h"
#include "fs/ext4/htree.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t entry_head = 8;
constexpr std::uint8_t type_checksum = 0xde;
constexpr std::uint32_t tail_size = 12;

struct DirectoryEntryHead {
  le32 inode;
  le16 rec_len;
  std::uint8_t name_len;
  std::uint8_t file_type;
};
static_assert(sizeof(DirectoryEntryHead) == entry_head);

/// Looks like an entry without a name at the end of a block.
struct DirectoryTail {
  le32 det_reserved_zero1;
  le16 det_rec_len;
  std::uint8_t det_reserved_zero2;
  std::uint8_t det_reserved_ft;
  le32 det_checksum;
};
static_assert(sizeof(DirectoryTail) == tail_size);

/// rec_len has 16 bits: in blocks of 64 KiB its two low ones are the highest, and 0 and 65535 mean all of it.
std::uint32_t record_length(const Geometry& geometry, std::uint16_t rec_len) {
  if (geometry.block_size < 65536) return rec_len;
  if (rec_len == 0 || rec_len == 65535) return geometry.block_size;
  return (rec_len & 65532U) | (rec_len & 3U) << 16;
}

/// The least space an entry with a name of that length takes.
std::uint32_t needed(std::uint32_t name_length, bool with_hash) {
  return (name_length + entry_head + 3 + (with_hash ? entry_head : 0U)) & ~3U;
}

/// "." , ".." and checksum tails carry no hash in any directory.
bool is_without_hash(const DirectoryEntryHead& head, std::span<const std::byte> name) {
  if (head.file_type == type_checksum) return true;
  if (name.empty() || name.size() > 2 || name.front() != std::byte{'.'}) return false;
  return name.size() == 1 || name[1] == std::byte{'.'};
}

unsigned char type_for_users(const Geometry& geometry, std::uint8_t file_type) {
  constexpr unsigned char types[] = {DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK};
  if (!geometry.has(incompat_filetype) || file_type >= std::size(types)) return DT_UNKNOWN;
  return types[file_type];
}

/// Verifies the checksum of a block of entries; blocks of an index hold none and have a checksum of their
/// own.
Result<void> check_block(const Geometry& geometry, const InodeRecord& directory,
                         std::span<const std::byte> block, bool first) {
  auto sound = check_leaf(geometry, directory, block);
  if (sound || !directory.has(flag_index)) return sound;
  const bool node =
      record_length(geometry, from_bytes<DirectoryEntryHead>(block).rec_len) == geometry.block_size;
  return first || node ? check_index_block(geometry, directory, block) : sound;
}

/// Blocks that a listing reads at once at first; more later, for a visitor often stops early.
constexpr std::uint64_t first_window = 4;

/// In cookies of entries behind damage: whoever goes on from there still has to learn of it.
constexpr std::uint64_t damage_mark = std::uint64_t{1} << 62;

/// The kernel shows hashes of encrypted names in directories it reads through an index, or could: those of
/// one block.
std::optional<std::uint8_t> hash_version_of(Workspace& workspace, const InodeRecord& directory) {
  const Geometry& geometry = workspace.volume().geometry();
  if (!directory.has(flag_encrypt) || has_hash_in_entries(directory) || !geometry.has(compat_dir_index))
    return std::nullopt;
  const std::uint8_t otherwise = geometry.default_hash_version;
  if (directory.has(flag_inline_data)) return otherwise;
  if (directory.has(flag_index)) return index_hash_version(workspace, directory).value_or(otherwise);
  const bool one_block = directory.attributes.size / geometry.block_size == 1;
  return one_block ? std::optional(otherwise) : std::nullopt;
}

/// Names that no system call can pass on, and dots where they would mislead whoever walks the tree. EIO is
/// the kernel's answer to the former in getdents(2).
Result<void> check_name(const Geometry& geometry, const InodeRecord& directory, const DirectoryItem& item,
                        std::uint64_t start) {
  const bool dot = item.name == "." && start == 0;
  const bool dots = item.name == ".." && start != 0 && start < geometry.block_size;
  const bool in_place = !directory.has(flag_inline_data) && (dot || dots);
  const bool misplaced = (item.name == "." || item.name == "..") && !in_place;
  const std::string_view never("/\0", 2);
  if (!misplaced && !item.name.empty() && item.name.find_first_of(never) == std::string_view::npos) return {};
  return fail(EIO, "ext4: directory inode {}: entry at {}: its {} bytes are no name", directory.number, start,
              item.name.size());
}

Result<void> list_blocks(Workspace& workspace, const InodeRecord& directory, ItemPrinter& printer) {
  const Volume& volume = workspace.volume();
  const Geometry& geometry = volume.geometry();
  const std::uint64_t block_size = geometry.block_size;
  const std::uint64_t blocks = TRY(directory_blocks(geometry, directory));
  const std::uint64_t most = workspace.buffer().size() / block_size;
  std::uint64_t window = std::min(most, first_window);
  for (std::uint64_t logical = printer.position() / block_size; logical < blocks && printer.wanted();) {
    const Run run = TRY(map_blocks(workspace, directory, logical, std::min(blocks - logical, window)));
    if (!run.hole) {
      const auto bytes = workspace.buffer().first(run.length * block_size);
      TRY(read(volume.source(), run.first * block_size, bytes));
      for (std::uint64_t i = 0; i < run.length && printer.wanted(); ++i) {
        const auto block = bytes.subspan(i * block_size, block_size);
        if (auto sound = check_block(geometry, directory, block, logical + i == 0); !sound) {
          printer.note(std::move(sound).error());
        } else {
          list_region(geometry, directory, block, (logical + i) * block_size, printer);
        }
      }
      window = std::min(window * 2, most);
    }
    logical += run.length;
  }
  return {};
}

Result<std::optional<std::uint32_t>> find_in_block(Workspace& workspace, const InodeRecord& directory,
                                                   std::uint64_t logical, const WantedName& wanted) {
  const auto block = TRY(directory_block(workspace, directory, logical, BlockRole::directory_leaf));
  return find_in_region(workspace.volume().geometry(), directory, block, wanted);
}

Result<std::optional<std::uint32_t>> find_by_scan(Workspace& workspace, const InodeRecord& directory,
                                                  const WantedName& wanted, std::uint64_t blocks) {
  // What a damaged block may have held is unknown: its error is the answer if no other block has the name.
  Result<std::optional<std::uint32_t>> answer;
  for (std::uint64_t logical = 0; logical < blocks;) {
    const Run run = TRY(map_blocks(workspace, directory, logical, blocks - logical));
    if (run.hole) {
      logical += run.length;
      continue;
    }
    auto found = find_in_block(workspace, directory, logical++, wanted);
    if (found && *found) return found;
    if (!found && answer) answer = std::move(found);
  }
  return answer;
}

Result<std::optional<std::uint32_t>> find(Workspace& workspace, const InodeRecord& directory,
                                          std::string_view name, const WantedName& wanted) {
  if (directory.has(flag_inline_data)) return find_inline(workspace, directory, name, wanted);
  const Geometry& geometry = workspace.volume().geometry();
  std::uint64_t blocks = TRY(directory_blocks(geometry, directory));
  const bool dots = name == "." || name == "..";
  if (dots) blocks = std::min<std::uint64_t>(blocks, 1);
  if (directory.has(flag_index) && geometry.has(compat_dir_index) && !dots) {
    const IndexAnswer answer = TRY(find_by_index(workspace, directory, wanted));
    if (answer.usable) return answer.inode;
  }
  return find_by_scan(workspace, directory, wanted, blocks);
}

}  // namespace

Result<DirectoryItem> item_at(const Geometry& geometry, const InodeRecord& directory,
                              std::span<const std::byte> region, std::size_t offset) {
  const auto damaged = [&](const char* what, std::uint32_t value) {
    return fail(EUCLEAN, "ext4: directory inode {}: entry at {}: {} ({})", directory.number, offset, what,
                value);
  };
  const std::span<const std::byte> rest = region.subspan(offset);
  if (rest.size() < needed(1, false))
    return damaged("too close to the end", static_cast<std::uint32_t>(rest.size()));
  const auto head = from_bytes<DirectoryEntryHead>(rest);
  const std::uint32_t length = record_length(geometry, head.rec_len);
  if (length > rest.size() || length % 4 != 0) return damaged("rec_len", length);
  if (length < needed(head.name_len, false)) return damaged("rec_len too small for name_len", head.name_len);
  const auto name = rest.subspan(entry_head, head.name_len);
  const bool with_hash = has_hash_in_entries(directory) && !is_without_hash(head, name);
  if (length < needed(std::max<std::uint32_t>(head.name_len, 1), with_hash))
    return damaged("rec_len", length);
  const std::size_t left = rest.size() - length;
  if (left != 0 && left < needed(1, has_hash_in_entries(directory) && !geometry.checksums()))
    return damaged("rec_len leaves no room for the next", length);
  if (head.inode > geometry.inode_count) return damaged("inode out of bounds", head.inode);

  DirectoryItem item{
      .inode = head.inode, .length = length, .file_type = head.file_type, .hash = {}, .name = {}};
  item.name = {reinterpret_cast<const char*>(name.data()), name.size()};
  if (with_hash && head.name_len > 0) {
    const auto hashes = rest.subspan(needed(head.name_len, false));
    item.hash = {from_bytes<le32>(hashes), from_bytes<le32>(hashes.subspan(4))};
  }
  return item;
}

void list_region(const Geometry& geometry, const InodeRecord& directory, std::span<const std::byte> region,
                 std::uint64_t position, ItemPrinter& printer) {
  for (std::size_t offset = 0; offset < region.size();) {
    auto item = item_at(geometry, directory, region, offset);
    if (!item) return printer.note(std::move(item).error());
    offset += item->length;
    if (item->inode != 0 && !printer.print(*item, position + offset)) return;
  }
}

Result<std::uint64_t> directory_blocks(const Geometry& geometry, const InodeRecord& directory) {
  const std::uint64_t size = directory.attributes.size;
  const std::uint64_t blocks = size / geometry.block_size;
  if (blocks <= geometry.block_count) return blocks;
  return fail(EUCLEAN, "ext4: directory inode {}: i_size {} exceeds the file system", directory.number, size);
}

Result<void> check_leaf(const Geometry& geometry, const InodeRecord& directory,
                        std::span<const std::byte> block) {
  if (!geometry.checksums()) return {};
  const auto entries = block.first(block.size() - tail_size);
  const auto tail = from_bytes<DirectoryTail>(block.last(tail_size));
  if (tail.det_reserved_zero1 != 0 || tail.det_reserved_zero2 != 0 || tail.det_reserved_ft != type_checksum ||
      record_length(geometry, tail.det_rec_len) != tail_size)
    return fail(EBADMSG, "ext4: directory inode {}: a block has no checksum", directory.number);
  const std::uint32_t computed = crc32c(directory.checksum_seed, entries);
  if (computed == tail.det_checksum) return {};
  return fail(EBADMSG, "ext4: directory inode {}: det_checksum {:#010x} should be {:#010x}", directory.number,
              std::uint32_t{tail.det_checksum}, computed);
}

Result<std::span<const std::byte>> directory_block(Workspace& workspace, const InodeRecord& directory,
                                                   std::uint64_t logical, BlockRole role) {
  const Geometry& geometry = workspace.volume().geometry();
  const Run run = TRY(map_blocks(workspace, directory, logical, 1));
  if (run.hole)
    return fail(EUCLEAN, "ext4: directory inode {}: block {} is a hole", directory.number, logical);
  const CachedBlock block = TRY(workspace.block(Block{run.first}));
  if (*block.checked == checked_as(role, directory.number)) return block.bytes;
  if (role == BlockRole::directory_index) {
    TRY(check_index_block(geometry, directory, block.bytes));
  } else {
    TRY(check_block(geometry, directory, block.bytes, logical == 0));
  }
  *block.checked = checked_as(role, directory.number);
  return block.bytes;
}

Result<std::optional<std::uint32_t>> find_in_region(const Geometry& geometry, const InodeRecord& directory,
                                                    std::span<const std::byte> region,
                                                    const WantedName& wanted) {
  Result<std::optional<std::uint32_t>> answer;
  for (std::size_t offset = 0; offset + entry_head <= region.size();) {
    auto item = item_at(geometry, directory, region, offset);
    if (item && item->inode != 0 && wanted.matches(item->name)) return item->inode;
    // As the kernel: what is wrong with other entries does not matter as long as they say where the next is.
    const auto head = from_bytes<DirectoryEntryHead>(region.subspan(offset));
    const std::uint32_t length = record_length(geometry, head.rec_len);
    if (!item && answer) answer = std::unexpected(std::move(item).error());
    if (length == 0 || length > region.size() - offset) break;
    offset += length;
  }
  return answer;
}

Result<Inode> look_up(Workspace& workspace, const InodeRecord& directory, std::string_view name) {
  if (name.size() > 255) return fail(ENAMETOOLONG, "a name of {} bytes", name.size());
  const auto absent = [&] {
    return fail(ENOENT, "ext4: directory inode {} has no such name", directory.number);
  };
  const auto wanted = WantedName::create(workspace.volume(), directory, name);
  if (!wanted || name.empty()) return absent();
  const auto found = TRY(find(workspace, directory, name, *wanted));
  if (!found) return absent();
  const Geometry& geometry = workspace.volume().geometry();
  const bool valid =
      *found == root_inode || (*found >= geometry.first_inode && *found <= geometry.inode_count);
  if (!valid || (*found == directory.number && name != "." && name != ".."))
    return fail(EUCLEAN, "ext4: directory inode {}: an entry names inode {}", directory.number, *found);
  const auto target = read_user_inode(workspace, Inode{*found});
  if (!target && target.error().code == ESTALE)
    return fail(EUCLEAN, "ext4: directory inode {}: an entry names inode {}, which is not in use",
                directory.number, *found);
  return Inode{*found};
}

Piece first_piece(Workspace& workspace, const InodeRecord& directory) {
  const Geometry& geometry = workspace.volume().geometry();
  const auto blocks = directory_blocks(geometry, directory);
  if (directory.has(flag_inline_data) || !blocks || *blocks == 0) return {};
  const auto run = map_blocks(workspace, directory, 0, std::min(*blocks, first_window));
  if (!run || run->hole) return {};
  return {.offset = run->first * geometry.block_size, .size = run->length * geometry.block_size};
}

Result<void> list_directory(Workspace& workspace, const InodeRecord& directory, std::uint64_t cookie,
                            const DirectoryVisitor& visit) {
  ItemPrinter printer(workspace, directory, cookie, visit);
  TRY(directory.has(flag_inline_data) ? list_inline(workspace, directory, printer)
                                      : list_blocks(workspace, directory, printer));
  if (!printer.wanted()) return {};
  if (!printer.damage() || !printer.is_damaged()) return printer.damage();
  // The damage lies in front of the cookie: it is looked for again, to say what it is.
  return list_directory(workspace, directory, 0, [](const DirectoryEntry&) { return true; });
}

ItemPrinter::ItemPrinter(Workspace& workspace, const InodeRecord& directory, std::uint64_t cookie,
                         const DirectoryVisitor& visit)
    : volume_(workspace.volume()),
      directory_(directory),
      visit_(visit),
      hash_version_(hash_version_of(workspace, directory)),
      position_(cookie & ~damage_mark),
      behind_damage_((cookie & damage_mark) != 0) {}

void ItemPrinter::note(Error error) {
  behind_damage_ = true;
  if (damage_) damage_ = std::unexpected(std::move(error));
}

bool ItemPrinter::print(DirectoryEntry entry, std::uint64_t end) {
  if (end <= position_) return true;
  entry.next = behind_damage_ ? end | damage_mark : end;
  wanted_ = visit_(entry);
  return wanted_;
}

bool ItemPrinter::print(const DirectoryItem& item, std::uint64_t end) {
  if (end <= position_) return true;
  DirectoryEntry entry{.name = item.name,
                       .inode = Inode{item.inode},
                       .type = type_for_users(volume_.geometry(), item.file_type)};
  if (!directory_.has(flag_encrypt)) {
    auto sound = check_name(volume_.geometry(), directory_, item, end - item.length);
    if (sound) return print(entry, end);
    note(std::move(sound).error());
    return true;
  }
  auto name = encrypted_name(item);
  if (!name) {
    note(std::move(name).error());
    return true;
  }
  entry.name = *name;
  return print(entry, end);
}

Result<std::string> ItemPrinter::encrypted_name(const DirectoryItem& item) const {
  NameHash hash = item.hash;
  if (hash_version_) {
    const auto computed = hash_name(volume_, directory_, *hash_version_, item.name);
    if (computed) hash = *computed;
  }
  auto name = no_key_name(hash, item.name);
  if (name) return *std::move(name);
  return fail(EUCLEAN, "ext4: directory inode {}: encrypted name of {} bytes", directory_.number,
              item.name.size());
}

}  // namespace vmfs::ext4
