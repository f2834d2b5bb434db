// SPDX-License-Identifier: MIT
#include "formats/lvm/mapping.h"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace vmfs::lvm {
namespace {

constexpr std::uint64_t max_size = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<std::shared_ptr<const Source>> ConcatSource::create(std::vector<std::shared_ptr<const Source>> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  std::vector<Part> placed;
  std::uint64_t size = 0;
  for (auto& part : parts) {
    const std::uint64_t length = part->size();
    if (length == 0) continue;
    if (length > max_size - size) return fail(EFBIG, "LVM: more than {} bytes", max_size);
    placed.push_back({.start = size, .source = std::move(part)});
    size += length;
  }
  return std::shared_ptr<const Source>(new ConcatSource(size, std::move(placed)));
}

Result<Extent> ConcatSource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  const auto behind = std::ranges::upper_bound(parts_, offset, {}, &Part::start);
  const Part& part = *std::prev(behind);  // the first starts at 0
  return part.source->map(offset - part.start, max_length);
}

Result<std::shared_ptr<const Source>> StripeSource::create(std::vector<std::shared_ptr<const Source>> legs,
                                                           std::uint64_t stripe_size) {
  const std::uint64_t leg_size = legs.empty() ? 0 : legs.front()->size();
  if (leg_size == 0 || stripe_size == 0 || leg_size % stripe_size != 0) {
    return fail(EUCLEAN, "LVM: {} stripes of {} bytes in {}", legs.size(), stripe_size, leg_size);
  }
  for (const auto& leg : legs) {
    if (leg->size() != leg_size)
      return fail(EUCLEAN, "LVM: stripes over {} and {} bytes", leg_size, leg->size());
  }
  if (leg_size > max_size / legs.size())
    return fail(EFBIG, "LVM: {} stripes over {} bytes each", legs.size(), leg_size);
  const std::uint64_t size = leg_size * legs.size();
  return std::shared_ptr<const Source>(new StripeSource(size, std::move(legs), stripe_size));
}

Result<Extent> StripeSource::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  const std::uint64_t stripe = offset / stripe_size_;
  const std::uint64_t within = offset % stripe_size_;
  const Source& leg = *legs_[static_cast<std::size_t>(stripe % legs_.size())];
  return leg.map(stripe / legs_.size() * stripe_size_ + within, std::min(max_length, stripe_size_ - within));
}

}  // namespace vmfs::lvm
