// SPDX-License-Identifier: MIT
#include "fs/xfs/log/finish.h"

#include <algorithm>
#include <cerrno>

#include "fs/xfs/format_da.h"
#include "fs/xfs/log/fork_edit.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t attr_spaces = attr_flag::root | attr_flag::secure | attr_flag::parent;

template <class T>
Result<T> body_of(const Intent& intent) {
  const std::span<const std::byte> bytes = intent.regions[0];
  if (bytes.size() < sizeof(IntentHead) + sizeof(T)) return corrupt("an intent of {} bytes", bytes.size());
  return from_bytes<T>(bytes.subspan(sizeof(IntentHead)));
}

bool valid_range(std::uint64_t file_block, std::uint64_t count) {
  return count != 0 && file_block < max_file_blocks && count <= max_file_blocks - file_block;
}

// A fork of an inode with its extents, to be changed and put back.
class OpenFork {
 public:
  [[nodiscard]] static Result<OpenFork> open(Volume& volume, std::uint64_t number, bool attributes) {
    OpenFork fork;
    fork.inode = TRY(read_inode(volume, number));
    fork.attributes_ = attributes;
    if (fork.inode.realtime && !attributes)
      return fail(EOPNOTSUPP, "xfs: inode {} is on the realtime volume", number);
    fork.edit = TRY(ForkEdit::load(volume, attributes ? attr_map(fork.inode) : data_map(fork.inode)));
    return fork;
  }

  void close(Volume& volume) {
    FinishedInode& finished = volume.finished[inode.number];
    (attributes_ ? finished.attr : finished.data) = edit.encode();
    finished.blocks += more_blocks;
  }

  InodeCore inode;
  ForkEdit edit;
  std::int64_t more_blocks = 0;

 private:
  bool attributes_ = false;
};

// As xfs_bmap_finish_one().
Result<void> finish_bmap(Volume& volume, const Intent& intent) {
  const auto map = TRY(body_of<MapExtent>(intent));
  const std::uint32_t flags = map.me_flags;
  const std::uint32_t what = flags & bmap_intent::type_mask;
  const bool map_it = what == bmap_intent::map;
  if ((!map_it && what != bmap_intent::unmap) || !valid_range(map.me_startoff, map.me_len))
    return corrupt("inode {}: me_flags {:#x}, me_startoff {}, me_len {}", std::uint64_t{map.me_owner}, flags,
                   std::uint64_t{map.me_startoff}, std::uint32_t{map.me_len});
  auto fork = TRY(OpenFork::open(volume, map.me_owner, (flags & bmap_intent::attr_fork) != 0));
  if (map_it) {
    TRY(fork.edit.insert({.file_block = map.me_startoff,
                          .start = map.me_startblock,
                          .count = map.me_len,
                          .unwritten = (flags & bmap_intent::unwritten) != 0,
                          .there = true}));
    fork.more_blocks = map.me_len;
  } else {
    fork.more_blocks = -static_cast<std::int64_t>(fork.edit.remove(map.me_startoff, map.me_len));
  }
  fork.close(volume);
  return {};
}

// Exchanges what two forks have in two ranges of the same length.
Result<void> exchange(OpenFork& one, OpenFork& two, const XmiLogFormat& xmi) {
  const bool only_written = (xmi.xmi_flags & exchmaps::ino1_written) != 0;
  const std::uint64_t count = xmi.xmi_blockcount;
  for (std::uint64_t done = 0; done < count;) {
    ForkEdit::Run first = one.edit.at(xmi.xmi_startoff1 + done, count - done);
    if (only_written && (!first.there || first.unwritten)) {
      done += first.count;
      continue;
    }
    ForkEdit::Run second = two.edit.at(xmi.xmi_startoff2 + done, first.count);
    first.count = second.count = std::min(first.count, second.count);
    done += first.count;
    if (first.there == second.there && first.start == second.start) continue;
    one.edit.remove(first.file_block, first.count);
    two.edit.remove(second.file_block, second.count);
    std::swap(first.file_block, second.file_block);
    if (first.there) TRY(two.edit.insert(first));
    if (second.there) TRY(one.edit.insert(second));
    const auto blocks = static_cast<std::int64_t>(first.count);
    const std::int64_t moved = (second.there ? blocks : 0) - (first.there ? blocks : 0);
    one.more_blocks += moved;
    two.more_blocks -= moved;
  }
  return {};
}

// As xfs_exchmaps_finish_one() until nothing is left to do.
Result<void> finish_exchange(Volume& volume, const Intent& intent) {
  const auto xmi = TRY(body_of<XmiLogFormat>(intent));
  const std::uint64_t count = xmi.xmi_blockcount;
  if (!valid_range(xmi.xmi_startoff1, count) || !valid_range(xmi.xmi_startoff2, count) ||
      xmi.xmi_inode1 == xmi.xmi_inode2)
    return corrupt("inode {}: xmi_startoff1 {}, xmi_blockcount {}", std::uint64_t{xmi.xmi_inode1},
                   std::uint64_t{xmi.xmi_startoff1}, count);
  const bool attributes = (xmi.xmi_flags & exchmaps::attr_fork) != 0;
  auto one = TRY(OpenFork::open(volume, xmi.xmi_inode1, attributes));
  auto two = TRY(OpenFork::open(volume, xmi.xmi_inode2, attributes));
  if (one.inode.generation != xmi.xmi_igen1 || two.inode.generation != xmi.xmi_igen2)
    return corrupt("inode {}: not of the generation that an exchange was begun with", one.inode.number);
  TRY(exchange(one, two, xmi));
  one.close(volume);
  two.close(volume);
  if (!attributes && (xmi.xmi_flags & exchmaps::set_sizes) != 0) {
    // The kernel takes those that the files have now, not those it had logged.
    // Linux 6.18 then frees what a longer file has behind its old size: that is lost there, and not here.
    volume.finished[one.inode.number].size = two.inode.size;
    volume.finished[two.inode.number].size = one.inode.size;
  }
  return {};
}

Result<void> finish_attribute(Volume& volume, const Intent& intent) {
  const auto attri = TRY(body_of<AttriLogFormat>(intent));
  const std::uint32_t what = attri.alfi_op_flags;
  if (what > attri_op::replace && what <= attri_op::pptr_replace) return {};  // a parent pointer: not shown
  const bool remove = what == attri_op::remove;
  const std::size_t name_length = attri.alfi_name_len;
  const std::size_t value_length = remove ? 0 : std::size_t{attri.alfi_value_len};
  const std::size_t needed = value_length == 0 ? 2 : 3;
  if (what == 0 || what > attri_op::replace || intent.regions.size() < needed || name_length == 0 ||
      name_length > intent.regions[1].size() || (needed == 3 && value_length > intent.regions[2].size()))
    return corrupt("inode {}: alfi_op_flags {:#x}, alfi_name_len {}, alfi_value_len {}",
                   std::uint64_t{attri.alfi_ino}, what, name_length, value_length);
  static_cast<void>(TRY(read_inode(volume, attri.alfi_ino)));
  const auto text = [](const std::vector<std::byte>& bytes, std::size_t length) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), length);
  };
  FinishedAttribute attribute{.name = text(intent.regions[1], name_length),
                              .space = attri.alfi_attr_filter & attr_spaces,
                              .value = {}};
  if (!remove) attribute.value = needed == 3 ? text(intent.regions[2], value_length) : std::string{};
  auto& all = volume.finished[attri.alfi_ino].attributes;
  std::erase_if(all, [&](const FinishedAttribute& other) {
    return other.name == attribute.name && other.space == attribute.space;
  });
  all.push_back(std::move(attribute));
  return {};
}

Result<void> finish(Volume& volume, const Intent& intent) {
  switch (intent.type) {
    case LogItemType::bui:
      return finish_bmap(volume, intent);
    case LogItemType::xmi:
      return finish_exchange(volume, intent);
    default:
      return finish_attribute(volume, intent);
  }
}

// Each intent begins with the number of the inode concerned.
std::string describe(const Intent& intent) {
  const auto number = body_of<le64>(intent);
  const std::string_view what = intent.type == LogItemType::attri ? "an attribute" : "the blocks";
  return fmt::format("{} of inode {}", what, number ? std::uint64_t{*number} : 0);
}

}  // namespace

std::uint64_t finish_intents(Volume& volume, const std::vector<Intent>& intents, const Warn& warn) {
  std::uint64_t finished = 0;
  for (const Intent& intent : intents) {
    const auto done = finish(volume, intent);
    if (done) {
      ++finished;
      continue;
    }
    warn(
        fmt::format("xfs: {} were being changed when the system stopped, and cannot be shown as they would "
                    "have become: {}",
                    describe(intent), done.error().what));
  }
  return finished;
}

}  // namespace vmfs::xfs
