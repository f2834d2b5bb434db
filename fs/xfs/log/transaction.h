// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "fs/xfs/log/item_format.h"
#include "fs/xfs/log/record.h"

namespace vmfs::xfs {

/// One logged item: a few regions of bytes, the first of which says what they are.
class LogItem {
 public:
  LogItem(std::span<const std::byte> bytes, std::span<const std::size_t> ends, std::size_t start)
      : bytes_(bytes), ends_(ends), start_(start) {}

  [[nodiscard]] LogItemType type() const {
    return LogItemType{std::uint16_t{from_bytes<LogItemHead>(region(0)).type}};
  }
  /// Regions there are: at least one.
  [[nodiscard]] std::size_t regions() const { return ends_.size(); }
  /// The bytes of one; none behind the last one. The first has at least those of a LogItemHead.
  [[nodiscard]] std::span<const std::byte> region(std::size_t index) const {
    if (index >= ends_.size()) return {};
    const std::size_t from = index == 0 ? start_ : ends_[index - 1];
    return bytes_.subspan(from, ends_[index] - from);
  }

 private:
  std::span<const std::byte> bytes_;
  std::span<const std::size_t> ends_;
  std::size_t start_;
};

/// A transaction whose operations were met, in one record or in several.
class Transaction {
 public:
  /// With `heads_only`, regions but the first of each item are taken for empty, and the first ones are cut
  /// off behind what names a buffer: enough to find those that are freed.
  Transaction(std::uint64_t lsn, bool heads_only) : lsn_(lsn), heads_only_(heads_only) {}

  /// Of the record where it started.
  [[nodiscard]] std::uint64_t lsn() const { return lsn_; }

  /// Takes the bytes of an operation: a region, or the first part of one.
  /// Errors: EUCLEAN, without a place.
  [[nodiscard]] Result<void> add(std::span<const std::byte> bytes);
  /// Takes the next part of the region added last.
  [[nodiscard]] Result<void> add_more(std::span<const std::byte> bytes);

  /// The items, as long as nothing is added. Errors: EUCLEAN.
  [[nodiscard]] Result<std::vector<LogItem>> items() const;

 private:
  struct Item {
    std::size_t first = 0;  // of regions
    std::size_t total = 0;  // regions, as its head says
  };

  void append(std::span<const std::byte> bytes);

  std::uint64_t lsn_;
  bool heads_only_;
  std::size_t header_left_ = sizeof(XfsTransHeader);
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;  // of the regions in bytes_
  std::vector<Item> items_;
};

/// Puts transactions together from the operations of records (xlog_recover_process_data()).
class TransactionTable {
 public:
  using Commit = std::function<Result<void>(const Transaction&)>;

  /// `commit` receives each transaction when its end was met, in the log's order.
  TransactionTable(Commit commit, bool heads_only) : commit_(std::move(commit)), heads_only_(heads_only) {}

  /// Takes a record's operations. Errors: EUCLEAN, and what `commit` says; both without a place.
  [[nodiscard]] Result<void> add(const XlogRecHeader& header, std::span<const std::byte> body);

 private:
  [[nodiscard]] Result<void> add_operation(const XlogRecHeader& header, const XlogOpHeader& operation,
                                           std::span<const std::byte> bytes);

  Commit commit_;
  bool heads_only_;
  std::unordered_map<std::uint32_t, Transaction> open_;  // by oh_tid
};

}  // namespace vmfs::xfs
