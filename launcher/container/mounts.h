// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

// Mounts are made detached first, while the machine's own tree is in sight, and attached once the container's
// root is the only tree there is: whatever an image puts in a path then leads no further than the image.

/// One "name=value" of a file system; an empty value makes it a flag.
using MountParameter = std::pair<std::string, std::string>;

/// A new file system of this type, attached nowhere, with MOUNT_ATTR_* attributes. The error names the type.
[[nodiscard]] Result<Fd> new_mount(const std::string& type, const std::vector<MountParameter>& parameters,
                                   std::uint64_t attributes);

/// What lies at a path, mounts below it included, attached nowhere, with these attributes added.
[[nodiscard]] Result<Fd> bind_mount(const std::string& path, std::uint64_t attributes);

/// Puts a detached mount on an existing directory or file.
[[nodiscard]] Result<void> attach(const Fd& mount, const std::string& path);

/// Makes a directory and those above it that are missing, mode 0755.
[[nodiscard]] Result<void> make_directories(const std::string& path);

/// Attaches to a directory that is made if missing.
[[nodiscard]] Result<void> attach_directory(const Fd& mount, const std::string& path);

/// Attaches to a file that is made, empty, if missing.
[[nodiscard]] Result<void> attach_file(const Fd& mount, const std::string& path);

/// Adds attributes to the mount at a path, not to those below it.
[[nodiscard]] Result<void> restrict_mount(const std::string& path, std::uint64_t attributes);

}  // namespace vmfs
