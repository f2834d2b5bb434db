// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/result.h"
#include "fs/filesystem.h"

namespace vmfs::tests {

/// The unit in which sparseness is compared: finer than the page cache no kernel can say.
constexpr std::uint64_t granule = 4096;

/// A run of granules that hold data: [first, end).
struct Run {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Adds the bytes [offset, offset + length) to runs that grow by ascending offset.
inline void add_data(std::vector<Run>& runs, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t first = offset / granule;
  const std::uint64_t end = (offset + length + granule - 1) / granule;
  if (!runs.empty() && first <= runs.back().end) {
    runs.back().end = end;
  } else {
    runs.push_back({.first = first, .end = end});
  }
}

/// The opened contents of a regular file.
class Content {
 public:
  virtual ~Content() = default;
  Content() = default;
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  /// Where there is data and no hole. Ask before the first read(): the kernel counts pages of an unwritten
  /// extent that are in its cache as data.
  [[nodiscard]] virtual Result<std::vector<Run>> data_runs() = 0;

  /// Fills `into`, as far as the file goes; returns the bytes read.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

/// A name as a directory lists it.
struct Child {
  std::string name;
  std::uint64_t inode = 0;
  unsigned type = 0;  ///< DT_* of <dirent.h>
};

/// What statfs(2) says, in blocks of `block_size`.
struct Space {
  std::uint64_t block_size = 0;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_free = 0;
  std::uint64_t blocks_available = 0;
  std::uint64_t files = 0;
  std::uint64_t files_free = 0;
  std::uint64_t name_max = 0;
};

/// A file of a tree, whoever shows it: the kernel or our own readers.
class Node {
 public:
  virtual ~Node() = default;
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] virtual Result<Attributes> stat() = 0;
  /// Appends what a directory lists without "." and ".."; on an error what came before stays.
  [[nodiscard]] virtual Result<void> list(std::vector<Child>& children) = 0;
  /// A file of this directory. Whether it is there only its own calls say.
  [[nodiscard]] virtual Result<std::unique_ptr<Node>> child(const std::string& name) = 0;
  [[nodiscard]] virtual Result<std::string> readlink() = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> xattr_names() = 0;
  [[nodiscard]] virtual Result<std::string> xattr(const std::string& name) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Content>> open() = 0;
  [[nodiscard]] virtual Result<Space> space() = 0;
  /// Whether the tree goes on in this directory: false on a mount point of another file system.
  [[nodiscard]] virtual bool same_filesystem(const Node& parent) const = 0;
};

}  // namespace vmfs::tests
