// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "formats/source.h"

namespace vmfs::lvm {

/// How many images a RAID can have (DEFAULT_RAID1_MAX_IMAGES of the tools, and dm-raid's limit for others).
constexpr std::size_t max_raid_legs = 253;

/// An image of a RAID with what keeps its state.
struct RaidLeg {
  std::shared_ptr<const Source> metadata;  ///< nullptr where there is none, or it cannot be read
  Result<std::shared_ptr<const Source>> image = nullptr;
};

/// The first leg of a RAID 1 that is whole: its image can be read, and the newest of the superblocks on the
/// metadata volumes (drivers/md/dm-raid.c) does not call it failed or not rebuilt. Warns where the first leg
/// is not taken. Errors: the first image's own where none can be read; EIO where all that can be read are
/// failed.
[[nodiscard]] Result<std::shared_ptr<const Source>> choose_raid1_leg(std::vector<RaidLeg> legs,
                                                                     const Warn& warn);

}  // namespace vmfs::lvm
