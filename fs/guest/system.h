// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "fs/filesystem.h"
#include "fs/guest/packages.h"

namespace vmfs {

/// What a guest's files say of it beyond os-release. What is not known is empty.
struct SystemFacts {
  std::string architecture;  ///< as `uname -m`: "x86_64", "aarch64"; of its shell or init
  std::string hostname;      ///< of /etc/hostname and its elders
  std::string
      init;  ///< "systemd", "openrc", "sysvinit", "busybox", "runit", "upstart", "dinit", "s6", "other"
  std::vector<std::string> kernels;  ///< versions with modules or an image in /boot, the oldest first
  std::vector<Packages> packages;
};

/// Looks into a guest's tree. Damage in what is looked at leaves the answer empty.
[[nodiscard]] SystemFacts find_system_facts(const Filesystem& tree);

}  // namespace vmfs
