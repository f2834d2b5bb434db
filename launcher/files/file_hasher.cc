// SPDX-License-Identifier: MIT
#include "launcher/files/file_hasher.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "launcher/files/sha256.h"

namespace vmfs {
namespace {

// Small enough for a processor's own cache.
constexpr std::size_t piece = std::size_t{256} << 10;

}  // namespace

FileHasher::FileHasher(const Filesystem& filesystem, std::vector<Inode> files)
    : filesystem_(filesystem), files_(std::move(files)), digests_(files_.size()) {
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t count = std::min({processors, std::size_t{max_threads}, files_.size()});
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

FileHasher::~FileHasher() {
  stop_ = true;
}

Result<std::string> FileHasher::wait(std::size_t index, const std::function<void()>& tick) {
  constexpr auto interval = std::chrono::milliseconds(200);
  std::unique_lock lock(mutex_);
  while (!done_.wait_for(lock, interval, [&] { return digests_[index].has_value(); })) tick();
  return *digests_[index];
}

void FileHasher::work() {
  std::vector<std::byte> buffer(piece);
  for (std::size_t index = next_++; index < files_.size() && !stop_; index = next_++) {
    auto digest = hash(files_[index], buffer);
    const std::scoped_lock lock(mutex_);
    digests_[index] = std::move(digest);
    done_.notify_one();
  }
}

Result<std::string> FileHasher::hash(Inode inode, std::vector<std::byte>& buffer) {
  const auto source = TRY(filesystem_.open(inode));
  Sha256 sha256;
  for (std::uint64_t offset = 0; offset < source->size();) {
    if (stop_) return fail(ECANCELED, "stopped");
    const auto bytes = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(piece, source->size() - offset)));
    TRY(read(*source, offset, bytes));
    sha256.add(bytes);
    offset += bytes.size();
    bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
  }
  return sha256.finish();
}

}  // namespace vmfs
