// SPDX-License-Identifier: MIT
// Opens a SparseImage as XFS, walks it and reads a little of everything. Checksums are not looked at, for
// hardly any change would come behind them.
#include <algorithm>
#include <cstdint>
#include <deque>

#include <sys/stat.h>

#include "fs/xfs/xfs.h"
#include "tests/tools/sparse_image.h"

namespace {

using namespace vmfs;

constexpr std::size_t max_entries = 1000;
constexpr std::uint64_t max_read = 65536;
constexpr std::size_t max_image = std::size_t{1} << 20;

/// Damage may make any call fail; all that matters is that it returns.
template <class T>
void ignore(const Result<T>& /*result*/) {}

void read_some(const Source& source) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(source.size(), max_read)));
  ignore(read(source, 0, bytes));
  const std::uint64_t tail = source.size() - bytes.size();
  ignore(read(source, tail, bytes));
}

void visit_file(const Filesystem& filesystem, Inode inode) {
  const auto attributes = filesystem.stat(inode);
  if (const auto names = filesystem.xattr_names(inode)) {
    for (const std::string& name : *names) ignore(filesystem.xattr(inode, name));
  }
  ignore(filesystem.xattr(inode, "system.posix_acl_access"));
  if (!attributes) return;
  if (S_ISLNK(attributes->mode)) ignore(filesystem.readlink(inode));
  if (const auto file = filesystem.open(inode)) read_some(**file);
}

void walk(const Filesystem& filesystem) {
  std::deque<Inode> directories{filesystem.root()};
  std::size_t seen = 0;
  while (!directories.empty() && seen < max_entries) {
    const Inode directory = directories.front();
    directories.pop_front();
    std::vector<std::pair<std::string, Inode>> entries;
    ignore(filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
      entries.emplace_back(entry.name, entry.inode);
      return ++seen < max_entries;
    }));
    ignore(filesystem.lookup(directory, "absent"));
    for (const auto& [name, inode] : entries) {
      ignore(filesystem.lookup(directory, name));
      visit_file(filesystem, inode);
      if (name != "." && name != "..") directories.push_back(inode);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > max_image) return 0;
  auto image = tests::SparseImage::parse(std::as_bytes(std::span(data, size)));
  const auto filesystem = open_xfs_without_checksums(std::move(image), {});
  if (!filesystem) return 0;
  ignore((*filesystem)->usage());
  walk(**filesystem);
  return 0;
}
