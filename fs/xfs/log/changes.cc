// SPDX-License-Identifier: MIT
#include "fs/xfs/log/changes.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t writes_per_byte = 4;

}  // namespace

Result<void> ChangedSectors::check(std::uint64_t offset, std::size_t length) const {
  const std::uint64_t end = volume_.size() / sector_size * sector_size;
  if (offset <= end && length <= end - offset) return {};
  return fail(EUCLEAN, "{} bytes at {} are not inside the volume", length, offset);
}

Result<void> ChangedSectors::read(std::uint64_t offset, std::span<std::byte> into) const {
  TRY(check(offset, into.size()));
  std::size_t missing = 0;  // bytes at the start of `into` that are not in memory
  while (missing < into.size()) {
    const std::uint64_t at = offset + missing;
    const auto skip = static_cast<std::size_t>(at % sector_size);
    const std::size_t length = std::min(into.size() - missing, sector_size - skip);
    const auto found = index_.find(at / sector_size);
    if (found == index_.end()) {
      missing += length;
      continue;
    }
    TRY(vmfs::read(volume_, offset, into.first(missing)));
    into = into.subspan(missing);
    std::ranges::copy(std::span(*found->second).subspan(skip, length), into.begin());
    into = into.subspan(length);
    offset = at + length;
    missing = 0;
  }
  return vmfs::read(volume_, offset, into);
}

Result<ChangedSectors::Sector*> ChangedSectors::sector(std::uint64_t number, bool whole) {
  if (const auto found = index_.find(number); found != index_.end()) return found->second;
  if (size() >= limit_) return fail(EUCLEAN, "more than {} bytes would change", limit_);
  Sector& fresh = sectors_.emplace_back();
  if (!whole) TRY(vmfs::read(volume_, number * sector_size, fresh));
  index_.emplace(number, &fresh);
  return &fresh;
}

Result<void> ChangedSectors::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  TRY(check(offset, bytes.size()));
  written_ += bytes.size();
  if (written_ / writes_per_byte > limit_)
    return fail(EUCLEAN, "more than {} bytes would be written", limit_);
  while (!bytes.empty()) {
    const auto skip = static_cast<std::size_t>(offset % sector_size);
    const std::size_t length = std::min(bytes.size(), sector_size - skip);
    Sector* const into = TRY(sector(offset / sector_size, length == sector_size));
    std::ranges::copy(bytes.first(length), into->begin() + static_cast<std::ptrdiff_t>(skip));
    bytes = bytes.subspan(length);
    offset += length;
  }
  return {};
}

std::vector<ChangedSectors::Run> ChangedSectors::take_runs() {
  std::vector<std::pair<std::uint64_t, Sector*>> sorted(index_.begin(), index_.end());
  std::ranges::sort(sorted);
  std::vector<Run> runs;
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t end = first + 1;
    while (end < sorted.size() && sorted[end].first == sorted[end - 1].first + 1) ++end;
    Run& run = runs.emplace_back();
    run.offset = sorted[first].first * sector_size;
    run.bytes.reserve((end - first) * sector_size);
    for (; first < end; ++first)
      run.bytes.insert(run.bytes.end(), sorted[first].second->begin(), sorted[first].second->end());
  }
  index_.clear();
  sectors_.clear();
  return runs;
}

}  // namespace vmfs::xfs
