// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/lvm/config_text.h"

namespace vmfs::lvm {

/// A physical volume as its group's text describes it.
struct PvText {
  std::string name;  ///< within the text: "pv0"
  std::string uuid;
  bool missing = false;        ///< flagged so: what is on it can be out of date
  std::uint64_t size = 0;      ///< bytes of the device
  std::uint64_t pe_start = 0;  ///< bytes
  std::uint64_t pe_count = 0;
};

/// A place in a physical volume or a logical volume.
struct AreaText {
  std::string name;
  std::uint64_t extent = 0;
};

/// A run of extents of a logical volume.
struct SegmentText {
  std::uint64_t start = 0;  ///< bytes
  std::uint64_t size = 0;   ///< bytes
  std::string type;         ///< "striped", "raid1", "thin", ...: without the flags behind a '+'
  std::string flags;        ///< "+FLAG" as it stands, empty for most
  ConfigNode node;          ///< what else is said; only in it until a reader for the type looks
};

/// A logical volume as its group's text describes it.
struct LvText {
  std::string name;
  std::string uuid;
  bool visible = false;
  std::uint64_t size = 0;             ///< bytes
  std::vector<SegmentText> segments;  ///< in order, without gaps
};

/// A volume group as its text describes it.
struct GroupText {
  std::string name;
  std::string uuid;
  std::uint64_t seqno = 0;
  std::uint64_t extent_size = 0;  ///< bytes
  std::vector<PvText> physical_volumes;
  std::vector<LvText> logical_volumes;  ///< hidden ones too
};

/// Parses and checks a metadata text. Names consist of what LVM allows in them. Errors: EUCLEAN with the
/// volume and the value at fault, EOPNOTSUPP for another format.
[[nodiscard]] Result<GroupText> parse_group(std::string_view text);

/// The pairs of a name and an extent in a segment's list `key`. Errors: EUCLEAN.
[[nodiscard]] Result<std::vector<AreaText>> parse_areas(const ConfigNode& segment, std::string_view key);

}  // namespace vmfs::lvm
