// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/source.h"
#include "fs/registry.h"

namespace vmfs::test {

/// An ext file system made by mke2fs and debugfs, in memory. Tests change its bytes before they open it.
class Ext4Image {
 public:
  /// `mke2fs OPTIONS -d files IMAGE SIZE`, where `fill` puts files into the folder it gets.
  Ext4Image(
      const std::string& options, const std::string& size,
      const std::function<void(const std::filesystem::path&)>& fill = [](const auto&) {});
  ~Ext4Image();
  Ext4Image(const Ext4Image&) = delete;
  Ext4Image& operator=(const Ext4Image&) = delete;

  /// Runs one command of `debugfs -w`, which changes the image and all checksums that depend on it.
  void debugfs(const std::string& command);

  /// Runs a shell command in the image's folder, where the image is `image`. Fails the test if it fails.
  void run(const std::string& command) const;

  /// The output of a shell command in the image's folder.
  [[nodiscard]] std::string output_of(const std::string& command) const;

  /// The image's bytes, to be changed; read from the file at the first call.
  [[nodiscard]] std::vector<std::byte>& bytes();

  /// Takes the bytes from the file again, after debugfs() changed it.
  void reload() { bytes_.clear(); }

  [[nodiscard]] std::shared_ptr<const Source> source();

  /// Opens the file system. Warnings go to `warnings`.
  [[nodiscard]] Result<std::shared_ptr<const Filesystem>> open(bool recover = true);

  std::vector<std::string> warnings;

 private:
  std::filesystem::path folder_;
  std::vector<std::byte> bytes_;
};

/// Counts the reads that pass through to another source.
class CountingSource final : public Source {
 public:
  explicit CountingSource(std::shared_ptr<const Source> below)
      : Source(below->size()), below_(std::move(below)) {}

  mutable std::atomic<int> reads = 0;

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    ++reads;
    return below_->map(offset, max_length);
  }

  const std::shared_ptr<const Source> below_;
};

/// The inode of a path; fails the test if it is not there.
[[nodiscard]] Inode resolve(const Filesystem& filesystem, const std::string& path);

/// The error number of a result, 0 for a value.
template <class T>
[[nodiscard]] int code_of(const Result<T>& result) {
  return result ? 0 : result.error().code;
}

/// All names in a directory in order, or "error: ..." as the last.
[[nodiscard]] std::vector<std::string> names_in(const Filesystem& filesystem, Inode directory);

/// The contents of a file, or "error: ...".
[[nodiscard]] std::string contents_of(const Filesystem& filesystem, const std::string& path);

}  // namespace vmfs::test
