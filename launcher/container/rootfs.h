// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "formats/result.h"
#include "fs/mount/mount_options.h"
#include "launcher/container/fuse_overlay.h"
#include "launcher/container/id_map.h"
#include "launcher/container/image_server.h"
#include "launcher/container/plan.h"
#include "launcher/container/system_mounts.h"
#include "launcher/fd.h"

namespace vmfs {

// The steps that turn an image into the root of a container, in the order in which they are called. All run
// inside the container's user namespace. None needs cleaning up: mounts end with their namespace.

/// How the image is served: the kernel checks the image's modes for all ids of the namespace. Where that has
/// one id only, everything belongs to it.
[[nodiscard]] MountOptions image_mount_options(const IdMaps& maps);

/// In the server's mount namespace: cuts it off from the machine's, and builds a work place in memory at
/// `base`, with the image's file system as `base`/image, served by whoever reads `fuse`, and a folder for
/// changes that shows the image's root as `root` has it.
[[nodiscard]] Result<void> build_base(const Plan& plan, const Ownership& root, const Fd& fuse,
                                      const IdMaps& maps);

/// What lays the changes over the image where the kernel will not; none where it will, as far as that can be
/// told now, and costs nothing: a folder of the user's is tried. `warn` is told. Errors: why
/// neither can.
[[nodiscard]] Result<FuseOverlay> choose_overlay(const Plan& plan, const Warn& warn);

/// Makes `base` all that the server's mount namespace has, read-only.
[[nodiscard]] Result<void> leave_machine();

/// Before that: whether an earlier container has left a file here among the changes that are kept.
[[nodiscard]] bool was_changed(const std::string& path);

/// In the container's mount namespace: the changes over the image, with /proc, /sys, /dev and the rest,
/// become the root; nothing of the machine's tree stays. The working directory is the new root.
[[nodiscard]] Result<void> enter_root(const Plan& plan, const IdMaps& maps, const SystemNeeds& needs,
                                      const FuseOverlay& overlay);

/// Forbids changes where the plan says so.
[[nodiscard]] Result<void> finish_root(const Plan& plan);

}  // namespace vmfs
