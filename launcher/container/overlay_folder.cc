// SPDX-License-Identifier: MIT
#include "launcher/container/overlay_folder.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {

Result<OverlayFolder> OverlayFolder::lock(const Plan& plan, const IdMaps& maps) {
  OverlayFolder result;
  if (plan.overlay.empty()) return result;
  const std::string subject = "--overlay " + plan.overlay;
  if (::mkdir(plan.overlay.c_str(), 0700) == 0) {
    result.made_ = plan.overlay;
  } else if (errno != EEXIST) {
    return failed_call(subject, errno);
  }
  result.folder_ = Fd(::open(plan.overlay.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!result.folder_) return failed_call(subject, errno);
  const int folder = result.folder_.get();
  const auto owner = outside_of(maps.users, 0).value_or(0);
  const auto group = outside_of(maps.groups, 0).value_or(0);
  if (maps.writer == IdMaps::Writer::root && ::fchown(folder, owner, group) != 0)
    return failed_call(subject, errno);
  if (::flock(folder, LOCK_EX | LOCK_NB) != 0) return fail(EBUSY, "{}: another container uses it", subject);
  return result;
}

OverlayFolder::OverlayFolder(OverlayFolder&& other) noexcept
    : folder_(std::move(other.folder_)), made_(std::exchange(other.made_, {})) {}

OverlayFolder::~OverlayFolder() {
  if (!made_.empty()) ::rmdir(made_.c_str());
}

}  // namespace vmfs
