// SPDX-License-Identifier: MIT
#include "fs/xfs/log/transaction.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::xfs {
namespace {

constexpr std::size_t max_open = 65536;  // transactions under way at one time, far more than a kernel has

constexpr std::size_t buffer_head_size = sizeof(BufLogFormat) + 17 * sizeof(le32);  // with the longest bitmap

}  // namespace

void Transaction::append(std::span<const std::byte> bytes) {
  if (heads_only_) {
    const bool head = ends_.size() == items_.back().first + 1;
    const std::size_t start = ends_.size() > 1 ? ends_[ends_.size() - 2] : 0;
    const std::size_t room = head ? buffer_head_size - std::min(buffer_head_size, bytes_.size() - start) : 0;
    bytes = bytes.first(std::min(bytes.size(), room));
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  ends_.back() = bytes_.size();
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
  if (items_.empty() || ends_.size() - items_.back().first == items_.back().total) {
    if (bytes.size() < sizeof(LogItemHead)) return fail(EUCLEAN, "an item of {} bytes", bytes.size());
    const std::size_t total = from_bytes<LogItemHead>(bytes).size;
    if (total == 0 || total > log_item_max_regions) return fail(EUCLEAN, "an item of {} regions", total);
    items_.push_back({.first = ends_.size(), .total = total});
  }
  ends_.push_back(bytes_.size());
  append(bytes);
  return {};
}

Result<void> Transaction::add_more(std::span<const std::byte> bytes) {
  if (ends_.empty()) {
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
    const std::size_t count = std::min(item.total, ends_.size() - item.first);
    if (count != item.total) return fail(EUCLEAN, "an item of {} regions has only {}", item.total, count);
    items.emplace_back(bytes_, std::span(ends_).subspan(item.first, count),
                       item.first == 0 ? 0 : ends_[item.first - 1]);
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
