// SPDX-License-Identifier: MIT
#include "fs/ext4/fast_replay.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <unordered_map>

#include <sys/stat.h>

#include "fs/ext4/directory_editor.h"
#include "fs/ext4/inode.h"
#include "fs/ext4/journal/fast_commit.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint64_t longest_extent = 32768;

/// How many extents all changes together may pass by: a few seconds.
constexpr std::uint64_t most_work = std::uint64_t{1} << 26;

class Replayer {
 public:
  Replayer(const Journal& journal, Editor& editor)
      : journal_(journal), editor_(editor), directories_(editor, [this] { return spare_block(); }) {}

  Result<FastReplay> run(std::uint32_t transaction) {
    (void)TRY(walk_fast_commits(journal_, transaction, editor_.geometry().inode_size,
                                [this](const FastChange& change) { return make(change); }));
    for (const auto& [number, before] : before_) {
      const Usage after = TRY(usage_of(number));
      replay_.blocks += static_cast<std::int64_t>(after.blocks) - static_cast<std::int64_t>(before.blocks);
      replay_.inodes += static_cast<std::int64_t>(after.inodes) - static_cast<std::int64_t>(before.inodes);
    }
    return replay_;
  }

 private:
  struct Usage {
    std::uint64_t blocks = 0;
    std::uint64_t inodes = 0;
  };

  Result<void> make(const FastChange& change) {
    ++replay_.changes;
    switch (change.tag) {
      case fast_add_range:
        return add_range(from_bytes<FastAddRange>(change.value));
      case fast_del_range:
        return del_range(from_bytes<FastDelRange>(change.value));
      case fast_inode:
        return put_inode(from_bytes<le32>(change.value), change.value.subspan(sizeof(le32)));
      default:
        break;
    }
    const auto numbers = from_bytes<FastName>(change.value);
    const auto bytes = change.value.subspan(sizeof(FastName));
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto done = change.tag == fast_create ? create(numbers, name)
                      : change.tag == fast_link ? link(numbers, name)
                                                : unlink(numbers, name);
    if (done || done.error().code != EOPNOTSUPP) return done;
    --replay_.changes;
    ++replay_.missing;
    return {};
  }

  /// A user's file, or nothing where the kernel would pass the change by.
  std::optional<InodeRecord> file(std::uint32_t number) {
    Workspace workspace = editor_.workspace();
    auto found = read_user_inode(workspace, Inode{number});
    if (!found) return std::nullopt;
    return *std::move(found);
  }

  /// Remembers what an inode uses before its first change.
  Result<void> touch(std::uint32_t number) {
    if (before_.contains(number)) return {};
    before_.emplace(number, TRY(usage_of(number)));
    return {};
  }

  Result<Usage> usage_of(std::uint32_t number) {
    const auto bytes = TRY(editor_.inode(number));
    const DiskInode fields = fields_of(bytes);
    if (fields.i_links_count == 0 || fields.i_mode == 0) return Usage{};
    std::uint64_t blocks = blocks_of(editor_.geometry(), fields);
    // The kernel's replay does not count the blocks that directories get.
    if (const auto inode = file(number); inode && inode->is(S_IFDIR) && inode->has(flag_extents)) {
      Workspace workspace = editor_.workspace();
      if (const auto tree = list_extents(workspace, *inode, most_extent_nodes)) blocks = blocks_in(*tree);
    }
    return Usage{.blocks = std::min(blocks, editor_.geometry().block_count), .inodes = 1};
  }

  /// All that a tree takes up, itself and what it maps.
  static std::uint64_t blocks_in(const FileExtents& tree) {
    std::uint64_t blocks = tree.nodes.size();
    for (const FileExtent& extent : tree.extents) blocks += extent.length;
    return blocks;
  }

  Result<std::uint64_t> spare_block() {
    if (journal_.location().device())
      return fail(EOPNOTSUPP, "ext4: journal: fast commits that need blocks, in an external journal");
    // The first block stays what it is, for whoever looks at the journal.
    if (++spare_ < journal_.location().blocks()) return journal_.location().locate(spare_);
    return fail(ENOSPC, "ext4: journal: fast commits need more than its {} blocks",
                journal_.location().blocks());
  }

  /// In whole blocks.
  [[nodiscard]] std::uint64_t end_of(const InodeRecord& inode) const {
    return inode.attributes.size / editor_.geometry().block_size;
  }

  Result<void> change_extents(const InodeRecord& inode,
                              const std::function<void(std::vector<FileExtent>&)>& change) {
    Workspace workspace = editor_.workspace();
    auto tree = list_extents(workspace, inode, most_extent_nodes);
    if (!tree) return {};  // as the kernel
    work_ += tree->extents.size();
    if (work_ <= most_work) change(tree->extents);
    if (work_ > most_work)
      return fail(EFBIG, "ext4: journal: fast commit: inode {}: too many changes of {} extents", inode.number,
                  tree->extents.size());
    auto bytes = TRY(editor_.inode(inode.number));
    TRY(write_extents(editor_, inode.number, bytes, *tree, [this] { return spare_block(); }));
    return editor_.put_inode(inode.number, std::move(bytes));
  }

  Result<void> add_range(const FastAddRange& range) {
    const auto inode = file(range.fc_ino);
    if (!inode || !inode->has(flag_extents)) return {};
    TRY(touch(inode->number));
    FileExtent extent{.logical = range.ee_block,
                      .first = std::uint64_t{range.ee_start_hi} << 32 | range.ee_start_lo,
                      .length = range.ee_len,
                      .unwritten = range.ee_len > longest_extent};
    if (extent.unwritten) extent.length -= longest_extent;
    constexpr std::uint64_t end_of_blocks = std::uint64_t{1} << 32;
    if (extent.length == 0 || extent.length > end_of_blocks - extent.logical ||
        !editor_.geometry().contains(extent.first, extent.length))
      return fail(EUCLEAN, "ext4: journal: fast commit: inode {}: {} blocks from {} of {}", inode->number,
                  extent.length, extent.first, editor_.geometry().block_count);
    return change_extents(*inode, [&](std::vector<FileExtent>& extents) {
      work_ += replay_extent(extents, extent, end_of(*inode), most_work - work_);
    });
  }

  Result<void> del_range(const FastDelRange& range) {
    const auto inode = file(range.fc_ino);
    if (!inode || !inode->has(flag_extents)) return {};
    TRY(touch(inode->number));
    return change_extents(*inode, [&](std::vector<FileExtent>& extents) {
      cut_extents(extents, range.fc_lblk, range.fc_len);
      join_extents(extents, end_of(*inode));
    });
  }

  /// All of an inode but its map, and with it how many blocks that has.
  Result<void> put_inode(std::uint32_t number, std::span<const std::byte> logged) {
    if (number == 0 || number > editor_.geometry().inode_count)
      return fail(EUCLEAN, "ext4: journal: fast commit: inode {}", number);
    TRY(touch(number));
    auto bytes = TRY(editor_.inode(number));
    constexpr std::size_t map = offsetof(DiskInode, i_block);
    constexpr std::size_t behind = offsetof(DiskInode, i_generation);
    std::memcpy(bytes.data(), logged.data(), map);
    std::memcpy(bytes.data() + behind, logged.data() + behind, logged.size() - behind);
    DiskInode fields = fields_of(bytes);
    if ((fields.i_flags & flag_extents) != 0) {
      if (from_bytes<le16>(fields.i_block) != 0xf30a) clear_extents(fields);
    } else if ((fields.i_flags & flag_inline_data) != 0) {
      std::ranges::copy(logged.subspan(map, fields.i_block.size()), fields.i_block.begin());
    }
    set_fields(bytes, fields);
    TRY(editor_.put_inode(number, bytes));
    return count_blocks(number, std::move(bytes));
  }

  Result<void> count_blocks(std::uint32_t number, std::vector<std::byte> bytes) {
    const auto inode = file(number);
    if (!inode || !inode->has(flag_extents)) return {};
    Workspace workspace = editor_.workspace();
    const auto tree = list_extents(workspace, *inode, most_extent_nodes);
    if (!tree) return {};
    work_ += tree->extents.size();
    DiskInode fields = fields_of(bytes);
    set_blocks(editor_.geometry(), fields, blocks_in(*tree));
    set_fields(bytes, fields);
    return editor_.put_inode(number, std::move(bytes));
  }

  Result<void> set_links(std::uint32_t number, std::uint16_t links) {
    TRY(touch(number));
    auto bytes = TRY(editor_.inode(number));
    DiskInode fields = fields_of(bytes);
    fields.i_links_count = links;
    // Who gets the inode next begins with nothing.
    if (links == 0 && (fields.i_flags & flag_extents) != 0) clear_extents(fields);
    set_fields(bytes, fields);
    return editor_.put_inode(number, std::move(bytes));
  }

  Result<void> link(const FastName& numbers, std::string_view name) {
    const auto inode = file(numbers.fc_ino);
    if (!inode || !file(numbers.fc_parent_ino)) return {};
    TRY(touch(numbers.fc_parent_ino));
    if (!TRY(directories_.add(numbers.fc_parent_ino, name, numbers.fc_ino))) return {};
    return set_links(inode->number, static_cast<std::uint16_t>(inode->attributes.links + 1));
  }

  Result<void> create(const FastName& numbers, std::string_view name) {
    const auto inode = file(numbers.fc_ino);
    // Deleted again before it was committed. The kernel gives up here; it needs no name.
    if (!inode || !file(numbers.fc_parent_ino)) return {};
    TRY(touch(inode->number));
    TRY(touch(numbers.fc_parent_ino));
    if (inode->is(S_IFDIR)) TRY(directories_.make(inode->number, numbers.fc_parent_ino));
    (void)TRY(directories_.add(numbers.fc_parent_ino, name, inode->number));
    // The kernel counts one for directories too.
    return set_links(inode->number, 1);
  }

  Result<void> unlink(const FastName& numbers, std::string_view name) {
    const auto inode = file(numbers.fc_ino);
    if (!inode || !file(numbers.fc_parent_ino)) return {};
    TRY(touch(numbers.fc_parent_ino));
    if (!TRY(directories_.remove(numbers.fc_parent_ino, name, inode->number))) return {};
    return set_links(inode->number, static_cast<std::uint16_t>(inode->attributes.links - 1));
  }

  const Journal& journal_;
  Editor& editor_;
  DirectoryEditor directories_;
  std::uint64_t spare_ = 0;
  std::uint64_t work_ = 0;
  std::unordered_map<std::uint32_t, Usage> before_;
  FastReplay replay_;
};

}  // namespace

Result<FastReplay> replay_fast_commits(const Journal& journal, std::uint32_t transaction, Editor& editor) {
  return Replayer(journal, editor).run(transaction);
}

}  // namespace vmfs::ext4
