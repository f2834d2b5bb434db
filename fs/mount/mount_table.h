// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"

namespace vmfs {

/// One line of /proc/self/mountinfo (proc(5)).
struct MountEntry {
  std::filesystem::path directory;
  std::string type;    ///< "fuse.vmfs"
  std::string source;  ///< the image
  dev_t device = 0;
};

/// The uppermost mount at exactly this directory, found without asking it: a dead or stuck server would not
/// answer. `directory` is made absolute; symbolic links in all but its last component are followed, and that
/// one's too where no mount lies at the link. Errors: of the components in front.
[[nodiscard]] Result<std::optional<MountEntry>> find_mount(const std::filesystem::path& directory);

/// The directories of the mounts below `directory`.
[[nodiscard]] std::vector<std::filesystem::path> find_mounts_below(const std::filesystem::path& directory);

/// The processes we may see that keep a file system busy (open files, working directory, root, program,
/// mapped files), as "name (pid N)", at most eight. The file system itself is not asked.
[[nodiscard]] std::vector<std::string> find_users(dev_t device);

/// Makes this process findable as the server of a mount for as long as it lives. Errors: of memfd_create(2).
[[nodiscard]] Result<void> mark_as_server(dev_t device);

/// The process that serves a mount, if it is one we may see; 0 where there is none.
[[nodiscard]] pid_t find_server(dev_t device);

}  // namespace vmfs
