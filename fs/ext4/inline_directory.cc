// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>

#include <dirent.h>

#include "fs/ext4/directory.h"
#include "fs/ext4/xattr.h"

namespace vmfs::ext4 {
namespace {

/// i_block begins with the parent's inode number; "." and ".." are not written down.
constexpr std::size_t parent_size = 4;
/// Cookies count as if both stood at the start, with 12 bytes each.
constexpr std::uint64_t dot_end = 12;
constexpr std::uint64_t dots_end = 24;

std::uint32_t parent_of(const InodeRecord& directory) {
  return from_bytes<le32>(directory.i_block);
}

/// The entries in i_block, and those in system.data behind them.
Result<std::array<std::span<const std::byte>, 2>> regions(Workspace& workspace,
                                                          const InodeRecord& directory) {
  const auto rest = TRY(inline_rest(workspace, directory));
  return std::array{std::span<const std::byte>(directory.i_block).subspan(parent_size), rest};
}

}  // namespace

Result<std::optional<std::uint32_t>> find_inline(Workspace& workspace, const InodeRecord& directory,
                                                 std::string_view name, const WantedName& wanted) {
  if (name == ".") return std::optional(directory.number);
  if (name == "..") return std::optional(parent_of(directory));
  const Geometry& geometry = workspace.volume().geometry();
  const auto parts = TRY(regions(workspace, directory));
  const auto found = TRY(find_in_region(geometry, directory, parts[0], wanted));
  if (found) return found;
  return find_in_region(geometry, directory, parts[1], wanted);
}

Result<void> list_inline(Workspace& workspace, const InodeRecord& directory, ItemPrinter& printer) {
  const Geometry& geometry = workspace.volume().geometry();
  if (!printer.print(DirectoryEntry{.name = ".", .inode = Inode{directory.number}, .type = DT_DIR},
                     dot_end) ||
      !printer.print(DirectoryEntry{.name = "..", .inode = Inode{parent_of(directory)}, .type = DT_DIR},
                     dots_end))
    return {};
  const auto parts = TRY(regions(workspace, directory));
  list_region(geometry, directory, parts[0], dots_end, printer);
  if (printer.wanted()) list_region(geometry, directory, parts[1], dots_end + parts[0].size(), printer);
  return {};
}

}  // namespace vmfs::ext4
