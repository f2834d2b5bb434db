// SPDX-License-Identifier: MIT
#include "formats/lvm/physical_volume.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <libdeflate.h>

#include "formats/lvm/format.h"

namespace vmfs::lvm {
namespace {

constexpr std::uint64_t label_sectors = 4;
constexpr std::size_t max_areas = 2;  // pvcreate --pvmetadatacopies
constexpr std::string_view mda_magic = " LVM2 x[5A%r0N*>";
constexpr std::uint32_t mda_version = 1;
constexpr std::uint32_t raw_location_ignored = 1;

template <std::size_t Size>
std::string_view view(const std::array<char, Size>& text) {
  return {text.data(), text.size()};
}

/// A list of locations from `at` on inside the label's sector; `at` is moved behind its end.
Result<std::vector<DiskLocation>> read_list(std::span<const std::byte> sector, std::size_t& at) {
  std::vector<DiskLocation> list;
  while (at <= sector.size() && sizeof(DiskLocation) <= sector.size() - at) {
    const auto location = from_bytes<DiskLocation>(sector.subspan(at));
    at += sizeof(DiskLocation);
    if (location.offset == 0) return list;
    list.push_back(location);
  }
  return fail(EUCLEAN, "LVM label: a list of areas has no end");
}

Result<PvLabel> parse_label(std::span<const std::byte> sector, std::uint64_t device_size, const Warn& warn) {
  const auto label = from_bytes<LabelHeader>(sector);
  std::size_t at = label.offset_xl;
  if (at < sizeof label || at > sector.size() || sizeof(PvHeader) > sector.size() - at) {
    return fail(EUCLEAN, "LVM label: header at {} of its sector", at);
  }
  const auto header = from_bytes<PvHeader>(sector.subspan(at));
  at += sizeof header;
  PvLabel out{.uuid = header.pv_uuid.text(), .device_size = header.device_size_xl, .metadata_areas = {}};
  TRY(read_list(sector, at));  // of data areas: the group's own text says where they are
  const auto areas = TRY(read_list(sector, at));
  if (areas.size() > max_areas) return fail(EUCLEAN, "LVM label: {} metadata areas", areas.size());
  for (const DiskLocation& area : areas) {
    const std::uint64_t offset = area.offset;
    const std::uint64_t size = area.size;
    if (offset >= device_size || size > device_size - offset || size <= mda_header_size) {
      warn(fmt::format("LVM metadata area of {} bytes at {} is not inside the device of {}: left out", size,
                       offset, device_size));
    } else {
      out.metadata_areas.push_back({.offset = offset, .size = size});
    }
  }
  return out;
}

Result<void> check_mda(const MdaHeader& header, std::span<const std::byte> sector, const Area& area) {
  const std::uint32_t sum = checksum(sector.subspan(sizeof header.checksum_xl));
  if (sum != header.checksum_xl) {
    return fail(EUCLEAN, "LVM metadata area: checksum is {:08x}, should be {:08x}",
                std::uint32_t{header.checksum_xl}, sum);
  }
  if (view(header.magic) != mda_magic) return fail(EUCLEAN, "LVM metadata area: no signature");
  if (header.version != mda_version) {
    return fail(EOPNOTSUPP, "LVM metadata area: version {}", std::uint32_t{header.version});
  }
  if (header.start != area.offset || header.size != area.size) {
    return fail(EUCLEAN, "LVM metadata area: {} bytes at {}, where the label says {} at {}",
                std::uint64_t{header.size}, std::uint64_t{header.start}, area.size, area.offset);
  }
  return {};
}

}  // namespace

std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t initial) {
  return ~libdeflate_crc32(~initial, bytes.data(), bytes.size());
}

std::string Id::text() const {
  std::string out;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (i >= 6 && i <= 26 && (i - 6) % 4 == 0) out += '-';
    out += letters[i];
  }
  return out;
}

Result<PvLabel> read_label(const Source& device, const Warn& warn) {
  std::string reason = "LVM: no label";
  for (std::uint64_t number = 0; number < label_sectors; ++number) {
    if (device.size() / sector_size <= number) break;
    std::array<std::byte, sector_size> sector{};
    TRY(read(device, number * sector_size, sector));
    const auto label = from_bytes<LabelHeader>(sector);
    if (view(label.id) != "LABELONE" || view(label.type) != "LVM2 001") continue;
    const std::uint32_t sum = checksum(std::span(sector).subspan(offsetof(LabelHeader, offset_xl)));
    if (label.sector_xl != number) {
      reason = fmt::format("LVM label in sector {} says it is in {}", number, std::uint64_t{label.sector_xl});
    } else if (label.crc_xl != sum) {
      reason =
          fmt::format("LVM label: checksum is {:08x}, should be {:08x}", std::uint32_t{label.crc_xl}, sum);
    } else {
      return parse_label(sector, device.size(), warn);
    }
  }
  return fail(EUCLEAN, "{}", reason);
}

Result<std::string> read_metadata_text(const Source& device, const Area& area) {
  std::array<std::byte, mda_header_size> sector{};
  TRY(read(device, area.offset, sector));
  const auto header = from_bytes<MdaHeader>(sector);
  TRY(check_mda(header, sector, area));
  const RawLocation& location = header.raw_locns[0];
  const std::uint64_t offset = location.offset;
  const std::uint64_t size = location.size;
  if (offset == 0 || (location.flags & raw_location_ignored) != 0) return std::string{};
  if (offset < mda_header_size || offset >= area.size || size > area.size - mda_header_size) {
    return fail(EUCLEAN, "LVM metadata area: text of {} bytes at {} of {}", size, offset, area.size);
  }
  if (size > max_text) return fail(EFBIG, "LVM metadata area: text of {} bytes", size);
  std::string text(static_cast<std::size_t>(size), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  const auto first = static_cast<std::size_t>(std::min(size, area.size - offset));
  TRY(read(device, area.offset + offset, bytes.first(first)));
  TRY(read(device, area.offset + mda_header_size, bytes.subspan(first)));  // around the ring
  if (const std::uint32_t sum = checksum(bytes); sum != location.checksum) {
    return fail(EUCLEAN, "LVM metadata text: checksum is {:08x}, should be {:08x}",
                std::uint32_t{location.checksum}, sum);
  }
  while (text.ends_with('\0')) text.pop_back();
  return text;
}

}  // namespace vmfs::lvm
