// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "fs/mount/fuse.h"
#include "fs/mount/mount_options.h"

namespace vmfs {

struct SessionDeleter {
  void operator()(fuse_session* session) const { ::fuse_session_destroy(session); }
};
/// libfuse's side of a mount; it closes its descriptor and unmounts nothing.
using Session = std::unique_ptr<fuse_session, SessionDeleter>;

/// A session that is not mounted yet; `source` is for the mount table. Null where libfuse refuses an option,
/// which it says on standard error.
[[nodiscard]] Session make_session(const std::string& source, const MountOptions& options,
                                   const fuse_lowlevel_ops& operations, void* data);

}  // namespace vmfs
