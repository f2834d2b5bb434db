// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "formats/host_file.h"
#include "formats/image.h"

namespace vmfs {

/// Opens the file that `image` names as its `role` ("backing file", "data file").
///
/// The name comes from whoever made the image, so:
/// - it is a path, with or without "file:" in front; other protocols ("json:", "nbd:", ...) are EOPNOTSUPP;
/// - a relative one starts at the folder the image really lies in, after symbolic links, and where nothing is
///   found there, at the folder of the path the image was opened by;
/// - `policy` may forbid it altogether or restrict it to one folder (EPERM);
/// - it must be a regular file (EINVAL);
/// - the owner of `image` must be able to read it, as far as permission bits from the root folder down to the
///   file say (EPERM). Otherwise a stranger's image could show root's files to the guest when root opens it.
///   This is not asked where the owner is root or is who we are: then the kernel has judged already.
/// A failure names both files.
[[nodiscard]] Result<std::shared_ptr<const HostFile>> open_reference(const HostFile& image,
                                                                     const std::string& name,
                                                                     const char* role,
                                                                     const BackingPolicy& policy);

/// Whether two open files are one and the same.
[[nodiscard]] bool same_file(const HostFile& a, const HostFile& b);

}  // namespace vmfs
