// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/result.h"
#include "launcher/container/plan.h"

namespace vmfs {

/// An init that we know how to stop.
enum class InitKind {
  systemd,
  sysvinit,
  busybox,
  openrc,  ///< openrc-init(8); OpenRC started by another init counts as that
  other,
};

/// By the name of the program that /sbin/init is in the end.
[[nodiscard]] InitKind kind_of_init(std::string_view path);

/// The signal that asks it to shut down in good order. sysvinit does so by what inittab_for() adds.
[[nodiscard]] int stop_signal_of(InitKind kind);

/// Whether it works without a cgroup it may divide.
[[nodiscard]] bool needs_group(InitKind kind);

/// Units of systemd that drive hardware, the kernel, the machine's clock or network, or wait for devices:
/// none of it is the container's. They are masked whether the image has them or not.
[[nodiscard]] std::span<const char* const> masked_units();

/// Generators of units that would do the same. A login prompt on the console is made only for `terminal`.
[[nodiscard]] std::vector<std::string> masked_generators(bool terminal);

/// The unit of systemd that stands for what is mounted at a path: systemd-escape(1).
[[nodiscard]] std::string mount_unit_of(std::string_view path);

/// An inittab(5) of sysvinit or busybox without login prompts on terminals other than the console. sysvinit
/// shuts down when power fails, which is how it is told to.
[[nodiscard]] std::string inittab_for(std::string_view text, InitKind kind);

/// Whether this is what machine-id(5) says; a line end may follow.
[[nodiscard]] bool is_machine_id(std::string_view text);

/// A machine id as a UUID.
[[nodiscard]] std::string uuid_of(std::string_view machine_id);

/// An init of the image, found and made ready to run in a container.
struct Boot {
  std::string path;
  InitKind kind = InitKind::other;
  std::string uuid;  ///< the container's
};

/// In the container's root, in the order in which a kernel looks for it. Errors: ENOENT naming the places.
[[nodiscard]] Result<Boot> find_init();

/// Prepares the root for it: what cannot work in a container is masked in /run and in /etc, fstab is empty,
/// and the machine id is new unless `keep_machine_id` and there is one.
[[nodiscard]] Result<void> prepare_boot(const Plan& plan, Boot& boot, bool keep_machine_id);

}  // namespace vmfs
