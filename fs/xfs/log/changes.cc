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
    const Sector* const found = find(at / sector_size);
    if (found == nullptr) {
      missing += length;
      continue;
    }
    TRY(vmfs::read(volume_, offset, into.first(missing)));
    into = into.subspan(missing);
    std::ranges::copy(std::span(*found).subspan(skip, length), into.begin());
    into = into.subspan(length);
    offset = at + length;
    missing = 0;
  }
  return vmfs::read(volume_, offset, into);
}

ChangedSectors::Sector* ChangedSectors::find(std::uint64_t number) const {
  const auto page = pages_.find(number / sectors_of_page);
  return page == pages_.end() ? nullptr : page->second[number % sectors_of_page];
}

ChangedSectors::Sector* ChangedSectors::new_sector() {
  const std::size_t place = sectors_ % sectors_of_slab;
  if (place == 0) slabs_.push_back(std::make_unique_for_overwrite<Slab>());
  ++sectors_;
  return &(*slabs_.back())[place];
}

Result<ChangedSectors::Sector*> ChangedSectors::sector(std::uint64_t number, bool whole) {
  Sector*& known = pages_[number / sectors_of_page][number % sectors_of_page];
  if (known != nullptr) return known;
  if (size() >= limit_) return fail(EUCLEAN, "more than {} bytes would change", limit_);
  Sector* const fresh = new_sector();
  if (!whole) TRY(vmfs::read(volume_, number * sector_size, *fresh));
  return known = fresh;
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

Result<void> ChangedSectors::move_to(OverlaySource& overlay) {
  std::vector<std::pair<std::uint64_t, Page>> sorted(pages_.begin(), pages_.end());
  std::ranges::sort(sorted, {}, &std::pair<std::uint64_t, Page>::first);
  const auto owner = std::make_shared<const Slabs>(std::move(slabs_));
  // What was neighbours in the volume and changed in one go is so in memory.
  std::uint64_t begin = 0;
  std::span<const std::byte> run;
  for (const auto& [page, sectors] : sorted) {
    for (std::size_t i = 0; i < sectors_of_page; ++i) {
      if (sectors[i] == nullptr) continue;
      const std::uint64_t offset = (page * sectors_of_page + i) * sector_size;
      const std::byte* const bytes = sectors[i]->data();
      if (offset == begin + run.size() && bytes == run.data() + run.size()) {
        run = {run.data(), run.size() + sector_size};
        continue;
      }
      TRY(overlay.put(begin, run, owner));
      begin = offset;
      run = {bytes, sector_size};
    }
  }
  TRY(overlay.put(begin, run, owner));
  pages_.clear();
  sectors_ = 0;
  return {};
}

}  // namespace vmfs::xfs
