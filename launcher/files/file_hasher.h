// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// Digests of many files at once, by a thread for each processor.
class FileHasher {
 public:
  static constexpr unsigned max_threads = 16;

  /// Starts with the first of `files`.
  FileHasher(const Filesystem& filesystem, std::vector<Inode> files);

  /// Ends all threads, after their next piece.
  ~FileHasher();
  FileHasher(const FileHasher&) = delete;
  FileHasher& operator=(const FileHasher&) = delete;

  /// Waits for the SHA-256 of a file by its index in `files`; calls `tick` now and then. The same index may
  /// be asked for again. Errors: as Filesystem::open() and read().
  [[nodiscard]] Result<std::string> wait(std::size_t index, const std::function<void()>& tick);

  /// Bytes that were hashed so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  void work();
  [[nodiscard]] Result<std::string> hash(Inode inode, std::vector<std::byte>& buffer);

  const Filesystem& filesystem_;
  const std::vector<Inode> files_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable done_;
  std::vector<std::optional<Result<std::string>>> digests_;  ///< under mutex_
  std::vector<std::jthread> threads_;                        ///< last: they use all of the above
};

}  // namespace vmfs
