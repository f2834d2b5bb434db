// SPDX-License-Identifier: MIT
#include "fs/xfs/log/recovery.h"

#include <algorithm>
#include <cerrno>
#include <list>

#include "formats/overlay_source.h"
#include "fs/xfs/log/replay.h"
#include "fs/xfs/log/tail.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint64_t spare_memory = 64U << 20;
constexpr std::uint64_t memory_per_log_byte = 16;

// Intents that were met, until their ends are.
class Intents {
 public:
  void begin(const LogItem& item) {
    Intent intent{.type = item.type(), .regions = {}};
    for (std::size_t i = 0; i < item.regions(); ++i) {
      const auto bytes = item.region(i);
      intent.regions.emplace_back(bytes.begin(), bytes.end());
    }
    by_id_[key_of(item, 0)] = open_.insert(open_.end(), std::move(intent));
  }

  void end(const LogItem& item) {
    const auto found = by_id_.find(key_of(item, 1));
    if (found == by_id_.end()) return;
    open_.erase(found->second);
    by_id_.erase(found);
  }

  [[nodiscard]] std::vector<Intent> take() {
    return {std::make_move_iterator(open_.begin()), std::make_move_iterator(open_.end())};
  }

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;

  static Key key_of(const LogItem& item, std::uint32_t distance) {
    return {static_cast<std::uint32_t>(item.type()) - distance, from_bytes<IntentHead>(item.region(0)).id};
  }

  std::list<Intent> open_;
  std::map<Key, std::list<Intent>::iterator> by_id_;
};

// The order within a transaction in which items can be replayed: inodes are created before they are changed,
// and leave the list of unlinked ones after (xlog_recover_reorder_trans()).
enum class Order : std::uint8_t { buffers, others, inode_buffers, cancels };

Result<Order> order_of(const LogItem& item) {
  if (item.type() == LogItemType::icreate) return Order::buffers;
  if (item.type() != LogItemType::buf) return Order::others;
  const std::uint32_t flags = TRY(buffer_head(item)).blf_flags;
  if ((flags & blf::cancel) != 0) return Order::cancels;
  return (flags & blf::inode_buf) != 0 ? Order::inode_buffers : Order::buffers;
}

class Recovery {
 public:
  Recovery(std::shared_ptr<const Source> volume, const Geometry& geometry, const LogExtent& extent,
           std::uint64_t limit)
      : volume_(std::move(volume)),
        geometry_(geometry),
        extent_(extent),
        replay_(*volume_, geometry, limit) {}

  [[nodiscard]] Result<Recovered> run(const Ring& ring, bool check_crc) {
    const auto checksums = check_crc ? RecordReader::Checksums::required : RecordReader::Checksums::ignored;
    TRY(pass(ring, checksums, {[this](const Transaction& t) { return find_cancels(t); }, true}));
    // The image does not change: what was right once is right.
    TRY(pass(ring, RecordReader::Checksums::ignored,
             {[this](const Transaction& t) { return commit(t); }, false}));
    TRY(replay_.stamp(lsn_));
    TRY(replay_.seal());
    auto overlay = std::make_shared<OverlaySource>(volume_);
    TRY(replay_.disk().move_to(*overlay));
    return Recovered{.volume = std::move(overlay),
                     .dirty = true,
                     .transactions = transactions_,
                     .unfinished = intents_.take()};
  }

 private:
  [[nodiscard]] Result<void> pass(const Ring& ring, RecordReader::Checksums checksums,
                                  TransactionTable table) {
    RecordReader reader(ring, geometry_, extent_.tail, extent_.head, checksums);
    while (TRY(reader.next())) {
      if (reader.header().h_fs_uuid != geometry_.uuid)
        return bad_log(ring, reader.position(), "h_fs_uuid of another file system");
      if (auto done = table.add(reader.header(), reader.body()); !done) {
        const Error& why = done.error();
        return fail(why.code, "xfs: log block {} (byte {} of the volume): {}", reader.position(),
                    ring.offset_of(reader.position()), why.what);
      }
    }
    return {};
  }

  // The first pass: which buffers are freed.
  [[nodiscard]] Result<void> find_cancels(const Transaction& transaction) {
    for (const LogItem& item : TRY(transaction.items())) {
      if (item.type() != LogItemType::buf) continue;
      const BufLogFormat head = TRY(buffer_head(item));
      if ((head.blf_flags & blf::cancel) != 0) replay_.cancelled().add(name_of(head));
    }
    return {};
  }

  // The second.
  [[nodiscard]] Result<void> commit(const Transaction& transaction) {
    if (transaction.lsn() != lsn_) TRY(replay_.stamp(lsn_));
    lsn_ = transaction.lsn();
    const std::vector<LogItem> items = TRY(transaction.items());
    std::vector<std::pair<Order, std::size_t>> order;
    order.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(TRY(order_of(items[i])), i);
    std::ranges::sort(order);
    for (const auto& [group, index] : order) TRY(replay_item(items[index]));
    ++transactions_;
    return {};
  }

  [[nodiscard]] Result<void> replay_item(const LogItem& item) {
    switch (item.type()) {
      case LogItemType::buf:
        return replay_buffer(replay_, item, lsn_);
      case LogItemType::inode:
        return replay_inode(replay_, item, lsn_);
      case LogItemType::icreate:
        return replay_icreate(replay_, item);
      case LogItemType::bui:
      case LogItemType::attri:
      case LogItemType::xmi:
      case LogItemType::bud:
      case LogItemType::attrd:
      case LogItemType::xmd:
        return note_intent(item);
      case LogItemType::efi:
      case LogItemType::efd:
      case LogItemType::rui:
      case LogItemType::rud:
      case LogItemType::cui:
      case LogItemType::cud:
      case LogItemType::efi_rt:
      case LogItemType::efd_rt:
      case LogItemType::rui_rt:
      case LogItemType::rud_rt:
      case LogItemType::cui_rt:
      case LogItemType::cud_rt:
      case LogItemType::dquot:
      case LogItemType::quotaoff:
        return {};  // nothing that a reader sees
      default:
        return fail(EUCLEAN, "an item of the unknown type {:#x}", static_cast<unsigned>(item.type()));
    }
  }

  [[nodiscard]] Result<void> note_intent(const LogItem& item) {
    if (item.region(0).size() < sizeof(IntentHead))
      return fail(EUCLEAN, "an intent of {} bytes", item.region(0).size());
    if ((static_cast<unsigned>(item.type()) & 1U) == 0)
      intents_.begin(item);
    else
      intents_.end(item);
    return {};
  }

  const std::shared_ptr<const Source> volume_;
  const Geometry& geometry_;  // as it was before the log
  const LogExtent extent_;
  Replay replay_;
  Intents intents_;
  std::uint64_t lsn_ = 0;
  std::uint64_t transactions_ = 0;
};

}  // namespace

Result<bool> log_is_dirty(const Source& volume, const Geometry& geometry, bool check_crc) {
  const Ring ring = TRY(Ring::create(volume, geometry));
  return !TRY(find_log_extent(ring, geometry, check_crc)).clean;
}

Result<Recovered> recover_log(std::shared_ptr<const Source> volume, const Geometry& geometry,
                              bool check_crc) {
  const Ring ring = TRY(Ring::create(*volume, geometry));
  const LogExtent extent = TRY(find_log_extent(ring, geometry, check_crc));
  if (extent.empty()) return Recovered{.volume = std::move(volume), .dirty = !extent.clean, .unfinished = {}};
  const std::uint32_t unknown = geometry.log_incompat & ~log_incompat::known;
  if (unknown != 0)
    return fail(EOPNOTSUPP, "xfs: unknown features of the log (sb_features_log_incompat {:#x})", unknown);
  const std::uint64_t blocks = (extent.head + ring.blocks() - extent.tail) % ring.blocks();
  const std::uint64_t limit = blocks * log_block_size * memory_per_log_byte + spare_memory;
  return Recovery(std::move(volume), geometry, extent, limit).run(ring, check_crc);
}

}  // namespace vmfs::xfs
