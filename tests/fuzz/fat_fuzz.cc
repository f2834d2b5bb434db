// SPDX-License-Identifier: MIT
// Opens a SparseImage as FAT, walks it and reads a little of everything.
#include <algorithm>
#include <cstdint>
#include <deque>

#include <sys/stat.h>

#include "fs/fat/fat.h"
#include "tests/tools/sparse_image.h"

namespace {

using namespace vmfs;

// A directory without end costs 65536 entries each time, and there may be one in every entry.
constexpr std::size_t max_entries = 200;
constexpr std::uint64_t max_read = 65536;
constexpr std::size_t max_image = std::size_t{1} << 18;

/// Damage may make any call fail; all that matters is that it returns.
template <class T>
void ignore(const Result<T>& /*result*/) {}

void read_some(const Source& source) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(source.size(), max_read)));
  ignore(read(source, 0, bytes));
  ignore(read(source, source.size() - bytes.size(), bytes));
}

void visit_file(const Filesystem& filesystem, Inode inode) {
  ignore(filesystem.stat(inode));
  ignore(filesystem.xattr_names(inode));
  if (const auto file = filesystem.open(inode)) read_some(**file);
}

void walk(const Filesystem& filesystem) {
  std::deque<Inode> directories{filesystem.root()};
  std::size_t seen = 0;
  while (!directories.empty() && seen < max_entries) {
    const Inode directory = directories.front();
    directories.pop_front();
    std::vector<std::pair<std::string, Inode>> entries;
    std::uint64_t middle = 0;
    ignore(filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
      entries.emplace_back(entry.name, entry.inode);
      if (entries.size() == 3) middle = entry.next;
      return ++seen < max_entries;
    }));
    ignore(filesystem.list(directory, middle, [&](const DirectoryEntry&) { return false; }));
    ignore(filesystem.lookup(directory, "absent"));
    ignore(filesystem.lookup(directory, ".."));
    for (const auto& [name, inode] : entries) {
      visit_file(filesystem, inode);
      if (name != "." && name != "..") directories.push_back(inode);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > max_image) return 0;
  const auto filesystem =
      open_fat_with(tests::SparseImage::parse(std::as_bytes(std::span(data, size))), "umask=077");
  if (!filesystem) return 0;
  walk(**filesystem);
  // The table of a volume of a terabyte takes its time.
  if ((*filesystem)->info().size < std::uint64_t{1} << 32) ignore((*filesystem)->usage());
  return 0;
}
