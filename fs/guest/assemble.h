// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fs/guest/fstab.h"
#include "fs/guest/guest.h"

namespace vmfs {

/// A line of the guest's fstab and what became of it.
struct GuestMount {
  enum class State : std::uint8_t {
    root,     ///< the root of the tree, whatever the line names as its device
    shown,    ///< `volume` is in the tree at this directory
    ignored,  ///< nothing that an image holds, or nothing that the guest mounts by itself
    missing,  ///< could not be shown: the directory stays as it is below
  };

  FstabEntry entry;
  State state = State::ignored;
  const Volume* volume = nullptr;  ///< what the line names, where it is on the disk
  std::string reason;              ///< why it is ignored or missing: "swap", "no volume of this name"
};

/// A guest's files.
struct Guest {
  const Volume* root = nullptr;
  std::shared_ptr<const Filesystem> tree;  ///< the root's own file system where no other is in its place
  std::vector<GuestMount> mounts;          ///< in the order of fstab
};

/// Puts the file systems of a guest whose root is `root` together as its /etc/fstab has them: each on its
/// directory, found inside the tree (symbolic links lead nowhere else), parents before children whatever
/// their order. Swap, memory, bind, loop, overlay and network mounts are ignored, and so is what is "noauto"
/// unless systemd mounts it on access. What cannot be shown leaves the directory below it as it is, with a
/// warning. A guest without fstab is its root alone. `disk` and `root` must have file systems that outlive
/// nothing here: the tree keeps what it needs, but `mounts` points into `disk`.
[[nodiscard]] Guest assemble_guest(const Disk& disk, const Volume& root, const FilesystemOptions& options);

/// What a verb shows of a disk. `wanted` names a volume as for choose_volume(): then that alone is shown;
/// else the guest that choose_volume() finds, put together. Errors: as choose_volume().
[[nodiscard]] Result<Guest> open_guest(const Disk& disk, const std::string& wanted,
                                       const FilesystemOptions& options);

}  // namespace vmfs
