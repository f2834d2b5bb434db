// SPDX-License-Identifier: MIT
#include "fs/xfs/log/transaction.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::xfs {
namespace {

constexpr std::size_t max_open = 65536;  // transactions under way at one time, far more than a kernel has

constexpr std::size_t chunk_size = 64U << 10;

constexpr std::size_t buffer_head_size = sizeof(BufLogFormat) + 17 * sizeof(le32);  // with the longest bitmap

}  // namespace

// To the last region, which is the last of its chunk.
void Transaction::append(std::span<const std::byte> bytes) {
  std::span<std::byte>& region = regions_.back();
  if (heads_only_) {
    const bool head = regions_.size() == items_.back().first + 1;
    const std::size_t most = head ? buffer_head_size - std::min(buffer_head_size, region.size()) : 0;
    bytes = bytes.first(std::min(bytes.size(), most));
  }
  if (bytes.size() > room_.size()) {
    const std::size_t size = std::max(chunk_size, (region.size() + bytes.size()) * 2);
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    room_ = {chunks_.back().get(), size};
    std::ranges::copy(region, room_.begin());
    region = room_.first(region.size());
    room_ = room_.subspan(region.size());
  }
  std::ranges::copy(bytes, room_.begin());
  region = {region.data(), region.size() + bytes.size()};
  room_ = room_.subspan(bytes.size());
}

Result<void> Transaction::add(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  if (header_left_ > 0) {
    if (bytes.size() < sizeof(le32) || from_bytes<le32>(bytes) != trans_header_magic)
      return fail(EUCLEAN, "a transaction without th_magic");
    if (bytes.size() > sizeof(XfsTransHeader))
      return fail(EUCLEAN, "a transaction header of {} bytes", bytes.size());
    header_left_ = sizeof(XfsTransHeader) - bytes.size();
    return {};
  }
  if (items_.empty() || regions_.size() - items_.back().first == items_.back().total) {
    if (bytes.size() < sizeof(LogItemHead)) return fail(EUCLEAN, "an item of {} bytes", bytes.size());
    const std::size_t total = from_bytes<LogItemHead>(bytes).size;
    if (total == 0 || total > log_item_max_regions) return fail(EUCLEAN, "an item of {} regions", total);
    items_.push_back({.first = regions_.size(), .total = total});
  }
  regions_.push_back(room_.first(0));
  append(bytes);
  return {};
}

Result<void> Transaction::add_more(std::span<const std::byte> bytes) {
  if (regions_.empty()) {
    if (bytes.size() > header_left_) return fail(EUCLEAN, "a transaction header of too many bytes");
    header_left_ = 0;
    return {};
  }
  append(bytes);
  return {};
}

Result<std::vector<LogItem>> Transaction::items() const {
  std::vector<LogItem> items;
  items.reserve(items_.size());
  for (const Item& item : items_) {
    const std::size_t count = std::min(item.total, regions_.size() - item.first);
    if (count != item.total) return fail(EUCLEAN, "an item of {} regions has only {}", item.total, count);
    items.emplace_back(std::span(regions_).subspan(item.first, count));
  }
  return items;
}

Result<void> TransactionTable::add(const XlogRecHeader& header, std::span<const std::byte> body) {
  if (header.h_fmt != log_format_linux_le)
    return fail(EOPNOTSUPP, "the log was written by a machine of another byte order (h_fmt {})",
                std::uint32_t{header.h_fmt});
  for (std::uint32_t left = header.h_num_logops; left > 0 && !body.empty(); --left) {
    if (body.size() < sizeof(XlogOpHeader)) return fail(EUCLEAN, "an operation's header ends early");
    const auto operation = from_bytes<XlogOpHeader>(body);
    body = body.subspan(sizeof operation);
    const std::size_t length = operation.oh_len;
    if (operation.oh_clientid != log_client::transaction && operation.oh_clientid != log_client::log)
      return fail(EUCLEAN, "oh_clientid {:#x}", operation.oh_clientid);
    if (length > body.size()) return fail(EUCLEAN, "oh_len {}, where {} bytes are left", length, body.size());
    TRY(add_operation(header, operation, body.first(length)));
    body = body.subspan(length);
  }
  return {};
}

Result<void> TransactionTable::add_operation(const XlogRecHeader& header, const XlogOpHeader& operation,
                                             std::span<const std::byte> bytes) {
  const std::uint32_t id = operation.oh_tid;
  const auto found = open_.find(id);
  if (found == open_.end()) {
    // Whatever belongs to a transaction that started before the tail is in its place already.
    if ((operation.oh_flags & log_op::start) == 0) return {};
    if (open_.size() >= max_open) return fail(EUCLEAN, "more than {} transactions at one time", max_open);
    open_.emplace(id, Transaction(header.h_lsn, heads_only_));
    return {};
  }
  std::uint32_t flags = operation.oh_flags & ~std::uint32_t{log_op::end};
  if ((flags & log_op::was_cont) != 0) flags &= ~std::uint32_t{log_op::cont};
  switch (flags) {
    case 0:
    case log_op::cont:
      return found->second.add(bytes);
    case log_op::was_cont:
      return found->second.add_more(bytes);
    case log_op::commit: {
      const Transaction done = std::move(found->second);
      open_.erase(found);
      return commit_(done);
    }
    case log_op::unmount:
      open_.erase(found);
      return {};
    default:
      return fail(EUCLEAN, "oh_flags {:#x}", operation.oh_flags);
  }
}

}  // namespace vmfs::xfs
