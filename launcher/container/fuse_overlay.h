// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// fuse-overlayfs(1), which lays changes over an image where the kernel's overlayfs refuses to.
struct FuseOverlay {
  Fd mount;    ///< what it serves, attached nowhere; none: the kernel does it
  Fd process;  ///< readable once it has ended
  Fd errors;   ///< what it says
};

/// The directories of an overlay.
struct OverlayLayers {
  std::string lower;
  std::string upper;
  std::string work;
};

/// Whether the kernel lets this user namespace mount overlayfs at all, tried with two directories that are
/// only read; and whether with these layers, which takes a millisecond. Errors: what it says.
[[nodiscard]] Result<void> probe_overlayfs(const std::string& directory, const std::string& other);
[[nodiscard]] Result<void> probe_overlayfs(const OverlayLayers& layers);

/// Starts fuse-overlayfs(1) as a child that ends with this process, in a mount namespace of its own in which
/// it can write to these mounts alone. Call it inside the container's user namespace, where the machine's
/// tree is in sight. It need not have begun when this returns: see await_fuse_overlay(). Errors: ENOENT where
/// it is not installed.
[[nodiscard]] Result<FuseOverlay> start_fuse_overlay(const OverlayLayers& layers,
                                                     const std::vector<std::string>& writable);

/// Waits until what is mounted at `root` answers. Errors: what fuse-overlayfs(1) said when it ended.
[[nodiscard]] Result<void> await_fuse_overlay(const FuseOverlay& overlay, const std::string& root);

}  // namespace vmfs
