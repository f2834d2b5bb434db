// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/source.h"

namespace vmfs::lvm {

/// A part of a device.
struct Area {
  std::uint64_t offset = 0;  ///< bytes
  std::uint64_t size = 0;    ///< bytes
};

/// What the label of a physical volume says.
struct PvLabel {
  std::string uuid;                  ///< with hyphens
  std::uint64_t device_size = 0;     ///< bytes
  std::vector<Area> metadata_areas;  ///< inside the device
};

/// Finds the label in the first four sectors of a device. A metadata area that is not inside the device is
/// left out with a warning. Errors: EUCLEAN (no label whose checksum holds, broken lists); EIO.
[[nodiscard]] Result<PvLabel> read_label(const Source& device, const Warn& warn);

/// The metadata's text in force in one area, its final zero removed; empty where the area holds none or is to
/// be ignored. Errors: EUCLEAN (checksums, bounds); EFBIG (more than `max_text` bytes); EIO.
[[nodiscard]] Result<std::string> read_metadata_text(const Source& device, const Area& area);

/// The largest text that is read. Volume groups with thousands of volumes have a few megabytes.
constexpr std::uint64_t max_text = 16U << 20;

}  // namespace vmfs::lvm
