// SPDX-License-Identifier: MIT
// Opens the input as an ext file system, walks up to 1000 entries and reads everything of each.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <deque>

#include "fs/ext4/crc32c.h"
#include "fs/ext4/ext4.h"
#include "fs/ext4/journal/fast_commit.h"

namespace vmfs {
namespace {

constexpr int most_entries = 1000;
constexpr std::uint64_t most_of_a_file = 64U << 10;

/// The least size of a volume: a journal has 1024 blocks or more. Behind the input there are zeros.
constexpr std::uint64_t least_size = 4U << 20;

/// Ends reading after so many bytes, so that a few kilobytes of image cannot keep us busy.
class BudgetSource final : public Source {
 public:
  explicit BudgetSource(std::shared_ptr<const Source> below)
      : Source(std::max(below->size(), least_size)), below_(std::move(below)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    if (budget_ <= 0) return fail(EIO, "the budget is used up");
    auto extent =
        offset < below_->size() ? below_->map(offset, max_length) : Result<Extent>(Extent::zero(max_length));
    if (extent) budget_ -= static_cast<std::int64_t>(extent->length) + 64;
    return extent;
  }

  const std::shared_ptr<const Source> below_;
  mutable std::atomic<std::int64_t> budget_ = 32 << 20;
};

void read_file(const Filesystem& filesystem, Inode inode) {
  const auto file = filesystem.open(inode);
  if (!file) return;
  std::byte buffer[4096];
  const std::uint64_t end = std::min((*file)->size(), most_of_a_file);
  for (std::uint64_t offset = 0; offset < end; offset += sizeof buffer) {
    const auto length = std::min<std::uint64_t>(sizeof buffer, end - offset);
    if (!read(**file, offset, std::span(buffer).first(length))) return;
  }
  if ((*file)->size() > 0) (void)(*file)->map((*file)->size() - 1, 1);
}

void read_attributes(const Filesystem& filesystem, Inode inode) {
  const auto names = filesystem.xattr_names(inode);
  if (!names) return;
  for (const std::string& name : *names) (void)filesystem.xattr(inode, name);
}

/// Visits one entry and returns the directories to visit next.
void visit(const Filesystem& filesystem, Inode inode, std::deque<Inode>& waiting, int& entries) {
  (void)filesystem.stat(inode);
  read_attributes(filesystem, inode);
  (void)filesystem.readlink(inode);
  read_file(filesystem, inode);
  (void)filesystem.list(inode, 0, [&](const DirectoryEntry& entry) {
    (void)filesystem.lookup(inode, entry.name);
    if (entry.name != "." && entry.name != "..") waiting.push_back(entry.inode);
    return ++entries < most_entries;
  });
  (void)filesystem.list(inode, 24, [](const DirectoryEntry&) { return false; });
}

/// Where the area of fast commits begins in corpus/ext4/ext4-fast-commit (ext4_seeds.sh).
constexpr std::size_t fast_commits = 30 * 1024;

/// Makes the checksums of fast commits right, or nothing behind them would be looked at.
void seal_fast_commits(std::span<std::byte> bytes) {
  constexpr std::size_t head_size = 4;
  constexpr std::size_t crc_field = 8;
  std::uint32_t crc = 0;
  for (std::size_t at = fast_commits; at + 12 <= bytes.size();) {
    const auto kind = static_cast<ext4::FastTag>(std::uint16_t{from_bytes<le16>(bytes.subspan(at))});
    const std::size_t size = head_size + from_bytes<le16>(bytes.subspan(at + 2));
    if ((at == fast_commits && kind != ext4::fast_head) || size > bytes.size() - at) return;
    const auto tag = bytes.subspan(at, size);
    at += size;
    if (kind != ext4::fast_tail || size < crc_field + sizeof crc) {
      crc = ext4::crc32c(crc, tag);
      continue;
    }
    const le32 sum = ext4::crc32c(crc, tag.first(crc_field));
    std::ranges::copy(std::as_bytes(std::span(&sum, 1)), tag.begin() + crc_field);
    crc = 0;
  }
}

}  // namespace
}  // namespace vmfs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(input.begin(), input.end());
  vmfs::seal_fast_commits(bytes);
  const auto memory = std::make_shared<vmfs::MemorySource>(std::move(bytes));
  const auto filesystem = vmfs::open_ext4(std::make_shared<vmfs::BudgetSource>(memory), {});
  if (!filesystem) return 0;
  (void)(*filesystem)->usage();
  std::deque<vmfs::Inode> waiting = {(*filesystem)->root()};
  int entries = 0;
  for (int visits = 0; !waiting.empty() && visits < vmfs::most_entries; ++visits) {
    const vmfs::Inode inode = waiting.front();
    waiting.pop_front();
    vmfs::visit(**filesystem, inode, waiting, entries);
  }
  return 0;
}
