// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/lvm/group_text.h"
#include "formats/lvm/raid.h"
#include "formats/lvm/snapshot.h"
#include "formats/lvm/thin_pool.h"
#include "formats/source.h"

namespace vmfs::lvm {

/// Puts the logical volumes of a group together from its physical volumes.
class Assembler {
 public:
  /// `devices` has a source for each of the group's physical volumes, or nullptr for one that is missing.
  /// REQUIRES: `group` and `budget` outlive this.
  Assembler(const GroupText& group, std::vector<std::shared_ptr<const Source>> devices,
            SnapshotBudget& budget, Warn warn);

  /// The bytes of a volume as its user sees them. Errors: as open_lvm().
  [[nodiscard]] Result<std::shared_ptr<const Source>> open(const LvText& volume);

  /// Whether the volume is a snapshot of the old kind.
  [[nodiscard]] bool is_snapshot(std::string_view name) const;

  /// Whether it is no volume, but the record that makes another one a snapshot.
  [[nodiscard]] static bool is_record_of_snapshot(const LvText& volume);

  /// Whether users see the volume: snapshots where they see its origin.
  [[nodiscard]] bool is_visible(const LvText& volume) const;

 private:
  using Opened = Result<std::shared_ptr<const Source>>;
  using Reader = Opened (Assembler::*)(const SegmentText&);
  struct Kind {
    std::string_view type;
    Reader read;
  };
  static const Kind kinds[];

  [[nodiscard]] Opened open_plain(std::string_view name);
  [[nodiscard]] Opened join_segments(const LvText& volume);
  [[nodiscard]] Opened read_segment(const SegmentText& segment);

  [[nodiscard]] Opened read_striped(const SegmentText& segment);
  [[nodiscard]] Opened read_zero(const SegmentText& segment);
  [[nodiscard]] Opened read_mirror(const SegmentText& segment);
  [[nodiscard]] Opened read_raid0(const SegmentText& segment);
  [[nodiscard]] Opened read_raid1(const SegmentText& segment);
  [[nodiscard]] Opened read_thin(const SegmentText& segment);

  [[nodiscard]] Result<std::vector<RaidLeg>> raid_legs(const SegmentText& segment, std::string_view key,
                                                       std::string_view count_key);
  [[nodiscard]] Result<std::shared_ptr<const ThinPool>> open_pool(const std::string& name);
  [[nodiscard]] Result<std::shared_ptr<const ThinPool>> open_new_pool(const std::string& name);

  /// Warns of the volume that is being put together.
  void warn(const std::string& text) const;

  [[nodiscard]] Opened open_area(const AreaText& area, std::uint64_t size);
  [[nodiscard]] Opened open_extents(std::size_t device, std::uint64_t extent, std::uint64_t size);

  const GroupText& group_;
  const std::vector<std::shared_ptr<const Source>> devices_;
  SnapshotBudget& budget_;
  const Warn warn_;
  std::map<std::string, std::size_t, std::less<>> pv_by_name_;
  std::map<std::string, const LvText*, std::less<>> lv_by_name_;
  std::map<std::string, const SegmentText*, std::less<>>
      snapshot_by_store_;  ///< by the volume of their exceptions
  std::map<std::string, const SegmentText*, std::less<>> merging_by_origin_;
  std::map<std::string, Result<std::shared_ptr<const ThinPool>>, std::less<>> pools_;
  std::map<std::string, Opened, std::less<>> opened_;  ///< volumes put together before
  std::string current_;                                ///< the innermost of `opening_`
  std::set<std::string, std::less<>> opening_;         ///< those being put together: none may need itself
};

}  // namespace vmfs::lvm
