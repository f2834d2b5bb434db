// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/container/id_map.h"
#include "launcher/fd.h"

namespace vmfs {

/// A mount that waits for the container's root to be the only tree.
struct PendingMount {
  enum class Kind {
    directory,  ///< the directory is made if missing
    file,       ///< the file is made if missing
    existing,   ///< nothing is mounted where the image has no such directory
  };
  Fd mount;
  std::string path;
  Kind kind = Kind::directory;
};

/// What the container's first process expects.
struct SystemNeeds {
  bool boot = false;   ///< an init: /run and /tmp are always in memory, /run/lock too
  bool group = false;  ///< it has a cgroup of its own to divide
};

/// /proc, /sys, /dev with what belongs into it, and /run and /tmp in memory: everything a system finds there,
/// nothing of the machine but a handful of harmless devices. Call it in the container's pid namespace while
/// the machine's /proc is in sight.
[[nodiscard]] Result<std::vector<PendingMount>> make_system_mounts(const IdMaps& maps,
                                                                   const SystemNeeds& needs);

/// Attaches them in order, then with `masks` covers what the kernel shows of the machine in /proc and /sys,
/// as podman does. Errors: ENOTDIR where the image has something else than a directory there.
[[nodiscard]] Result<void> attach_system_mounts(const std::vector<PendingMount>& mounts, bool masks);

}  // namespace vmfs
