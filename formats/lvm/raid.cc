// SPDX-License-Identifier: MIT
#include "formats/lvm/raid.h"

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "formats/endian.h"

namespace vmfs::lvm {
namespace {

/// `struct dm_raid_superblock` as far as every version of it goes.
struct RaidSuperblock {
  le32 magic;
  le32 compat_features;
  le32 num_devices;
  le32 array_position;
  le64 events;
  le64 failed_devices;        ///< bit per leg, for the first 64
  le64 disk_recovery_offset;  ///< sectors of this leg that are rebuilt; all bits set: all
  le64 array_resync_offset;
  le32 level;
  le32 layout;
  le32 stripe_sectors;
  le32 flags;
};
static_assert(sizeof(RaidSuperblock) == 64);

constexpr std::uint32_t raid_magic = 0x64526d44;  // "DmRd"
constexpr std::uint64_t rebuilt = ~std::uint64_t{0};
constexpr std::size_t failed_bits = 64;
constexpr std::uint64_t max_lag =
    1;  // md, too, takes a leg that missed the last update of the superblocks only

/// Absent where nothing was written there yet.
std::optional<RaidSuperblock> read_superblock(const RaidLeg& leg) {
  if (!leg.metadata) return {};
  const auto super = read_struct<RaidSuperblock>(*leg.metadata, 0);
  if (!super || super->magic != raid_magic) return {};
  return *super;
}

/// Why a leg should not be read; empty where nothing speaks against it.
std::string reason_against(std::size_t number, const RaidLeg& leg,
                           const std::optional<RaidSuperblock>& newest) {
  if (!leg.image) return leg.image.error().what;
  if (!newest) return {};
  const auto own = read_superblock(leg);
  if (number < failed_bits && (newest->failed_devices >> number & 1) != 0) return "it failed";
  if (!own) return "its metadata volume is empty or cannot be read";
  if (newest->events - own->events > max_lag) return "it is older than others";
  if (own->disk_recovery_offset != rebuilt) return "it is not rebuilt";
  return {};
}

}  // namespace

Result<std::shared_ptr<const Source>> choose_raid1_leg(std::vector<RaidLeg> legs, const Warn& warn) {
  std::optional<RaidSuperblock> newest;
  for (const RaidLeg& leg : legs) {
    const auto super = read_superblock(leg);
    if (super && (!newest || super->events > newest->events)) newest = super;
  }
  std::string reasons;
  for (std::size_t i = 0; i < legs.size(); ++i) {
    const std::string reason = reason_against(i, legs[i], newest);
    if (reason.empty()) {
      if (!reasons.empty()) warn(fmt::format("leg {} is used, not{}", i, reasons));
      return std::move(legs[i].image);
    }
    reasons += fmt::format("{} {}: {}", reasons.empty() ? "" : ";", i, reason);
  }
  for (RaidLeg& leg : legs) {
    if (!leg.image) return std::move(leg.image);
  }
  return fail(EIO, "LVM raid1: no leg is whole:{}", reasons);
}

}  // namespace vmfs::lvm
