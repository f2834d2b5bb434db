// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "formats/result.h"
#include "launcher/container/id_map.h"
#include "launcher/container/plan.h"
#include "launcher/fd.h"

namespace vmfs {

/// The folder that --overlay names, for one container alone as long as this lives. If it was made for it, and
/// the container did not come to use it, it goes again.
class OverlayFolder {
 public:
  /// Of a plan without one: nothing. Its owner is made who can write to it under the id it has inside.
  /// Errors: those of mkdir(2) and open(2), and EBUSY where another container uses it.
  static Result<OverlayFolder> lock(const Plan& plan, const IdMaps& maps);

  OverlayFolder(OverlayFolder&& other) noexcept;
  OverlayFolder& operator=(OverlayFolder&&) = delete;
  ~OverlayFolder();

 private:
  OverlayFolder() = default;

  Fd folder_;
  std::string made_;
};

}  // namespace vmfs
