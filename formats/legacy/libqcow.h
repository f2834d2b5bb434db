// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "formats/source.h"

namespace vmfs {

/// The contents of an AES-encrypted QCOW image of any version, decrypted by libqcow: every run is `encoded`.
/// The format keeps nothing to check a password by, a wrong one gives noise. Right only for clusters that are
/// allocated in the active state of an image without a backing file: libqcow knows no zero clusters and no
/// snapshots, wants to open the backing file itself, and takes the L2 tables of a version 1 overlay for
/// shorter than they are. `file` must be a file of the host, which libqcow opens once more. Errors: ENOKEY
/// for an empty password; EOPNOTSUPP for a feature or source that libqcow cannot read.
[[nodiscard]] Result<std::shared_ptr<const Source>> open_libqcow(const Source& file,
                                                                 const std::string& password);

}  // namespace vmfs
