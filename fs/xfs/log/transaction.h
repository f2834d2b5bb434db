// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "fs/xfs/log/item_format.h"
#include "fs/xfs/log/record.h"

namespace vmfs::xfs {

/// One logged item: a few regions of bytes, the first of which says what they are.
class LogItem {
 public:
  explicit LogItem(std::span<const std::span<std::byte>> regions) : regions_(regions) {}

  [[nodiscard]] LogItemType type() const {
    return LogItemType{std::uint16_t{from_bytes<LogItemHead>(region(0)).type}};
  }
  /// Regions there are: at least one.
  [[nodiscard]] std::size_t regions() const { return regions_.size(); }
  /// The bytes of one; none behind the last one. The first has at least those of a LogItemHead.
  [[nodiscard]] std::span<const std::byte> region(std::size_t index) const {
    return index < regions_.size() ? regions_[index] : std::span<const std::byte>();
  }

 private:
  std::span<const std::span<std::byte>> regions_;
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

  /// Bytes that stay where they are; more than one chunk only where a region is.
  using Chunk = std::unique_ptr<std::byte[]>;

  void append(std::span<const std::byte> bytes);

  std::uint64_t lsn_;
  bool heads_only_;
  std::size_t header_left_ = sizeof(XfsTransHeader);
  std::vector<Chunk> chunks_;
  std::span<std::byte> room_;                  // behind the last region
  std::vector<std::span<std::byte>> regions_;  // in chunks_
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
