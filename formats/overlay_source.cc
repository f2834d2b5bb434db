// SPDX-License-Identifier: MIT
#include "formats/overlay_source.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace vmfs {
namespace {

Result<void> check_inside(const Source& base, std::uint64_t offset, std::uint64_t length) {
  if (offset <= base.size() && length <= base.size() - offset) return {};
  return fail(EINVAL, "a change of {} bytes at {} is not inside the {} bytes there are", length, offset,
              base.size());
}

}  // namespace

OverlaySource::Run OverlaySource::Run::part(std::uint64_t skip, std::uint64_t size) const {
  return {.length = size,
          .base_offset = base_offset + skip,
          .other = other,
          .bytes = in_memory() ? bytes + skip : nullptr,
          .owner = owner};
}

OverlaySource::Runs::const_iterator OverlaySource::run_at(std::uint64_t offset) const {
  const auto next = runs_.upper_bound(offset);
  if (next == runs_.begin()) return next;
  const auto before = std::prev(next);
  return before->first + before->second.length > offset ? before : next;
}

void OverlaySource::clear(std::uint64_t offset, std::uint64_t end) {
  auto at = run_at(offset);
  while (at != runs_.end() && at->first < end) {
    const std::uint64_t first = at->first;
    const std::uint64_t stop = first + at->second.length;
    const Run cut = std::move(runs_.extract(at++).mapped());
    memory_ -= cut.in_memory() ? cut.length : 0;
    for (const auto& [from, to] : {std::pair{first, offset}, std::pair{end, stop}}) {
      if (from >= to) continue;
      at = std::next(runs_.emplace_hint(at, from, cut.part(from - first, to - from)));
      memory_ += cut.in_memory() ? to - from : 0;
    }
  }
}

Result<void> OverlaySource::place(std::uint64_t offset, std::uint64_t length, std::uint64_t base_offset) {
  TRY(check_inside(*base_, offset, length));
  TRY(check_inside(*base_, base_offset, length));
  if (length == 0) return {};
  clear(offset, offset + length);
  if (offset != base_offset) add_placed(offset, {.length = length, .base_offset = base_offset, .owner = {}});
  return {};
}

Result<void> OverlaySource::place(std::uint64_t offset, std::uint64_t length,
                                  std::shared_ptr<const Source> other, std::uint64_t other_offset) {
  TRY(check_inside(*base_, offset, length));
  TRY(check_inside(*other, other_offset, length));
  if (length == 0) return {};
  clear(offset, offset + length);
  const Source* const from = other.get();
  add_placed(offset,
             {.length = length, .base_offset = other_offset, .other = from, .owner = std::move(other)});
  return {};
}

void OverlaySource::add_placed(std::uint64_t offset, Run run) {
  const auto next = runs_.upper_bound(offset);
  if (next != runs_.begin()) {
    auto& [first, before] = *std::prev(next);
    if (!before.in_memory() && before.other == run.other && first + before.length == offset &&
        before.base_offset + before.length == run.base_offset) {
      before.length += run.length;
      return;
    }
  }
  runs_.emplace_hint(next, offset, std::move(run));
}

Result<void> OverlaySource::put(std::uint64_t offset, std::span<const std::byte> bytes,
                                std::shared_ptr<const void> owner) {
  TRY(check_inside(*base_, offset, bytes.size()));
  if (bytes.empty()) return {};
  clear(offset, offset + bytes.size());
  memory_ += bytes.size();
  runs_.emplace(offset, Run{.length = bytes.size(), .bytes = bytes.data(), .owner = std::move(owner)});
  return {};
}

Result<void> OverlaySource::put(std::uint64_t offset, std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> held = *owner;
  return put(offset, held, std::move(owner));
}

Result<Extent> OverlaySource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  auto at = run_at(offset);
  if (at == runs_.end()) return base_->map(offset, max_length);
  if (at->first > offset) return base_->map(offset, std::min(max_length, at->first - offset));
  const std::uint64_t skip = offset - at->first;
  std::uint64_t length = at->second.length - skip;
  if (!at->second.in_memory()) {
    const Source& from = at->second.other != nullptr ? *at->second.other : *base_;
    return from.map(at->second.base_offset + skip, std::min(max_length, length));
  }
  while (length < max_length && ++at != runs_.end() && at->first == offset + length && at->second.in_memory())
    length += at->second.length;
  return Extent::encoded(*this, offset, std::min(max_length, length));
}

Result<void> OverlaySource::do_decode(std::uint64_t offset, std::span<std::byte> into) const {
  for (auto at = run_at(offset); !into.empty(); ++at) {
    if (at == runs_.end() || at->first > offset || !at->second.in_memory())
      return fail(EINVAL, "nothing in memory at {} ({} bytes)", offset, into.size());
    const auto here = std::span(at->second.bytes, static_cast<std::size_t>(at->second.length))
                          .subspan(static_cast<std::size_t>(offset - at->first));
    const std::size_t count = std::min(here.size(), into.size());
    std::ranges::copy(here.first(count), into.begin());
    into = into.subspan(count);
    offset += count;
  }
  return {};
}

}  // namespace vmfs
