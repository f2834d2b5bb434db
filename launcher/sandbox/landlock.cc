// SPDX-License-Identifier: MIT
#include "launcher/sandbox/landlock.h"

#include <cerrno>
#include <cstdint>

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/fd.h"

namespace vmfs {
namespace {

// struct landlock_ruleset_attr of Linux 6.12; older headers lack the later fields, older kernels take fewer
// bytes.
struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

struct Attributes {
  Ruleset ruleset;
  std::size_t size;
};

// By the version of the interface: every right there is to take away.
Attributes everything(long version) {
  constexpr std::uint64_t connect_and_bind = 3;
  constexpr std::uint64_t sockets_and_signals = 3;
  // Thirteen rights, then REFER, TRUNCATE and IOCTL_DEV.
  const unsigned rights = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
  return {.ruleset = {.handled_access_fs = (std::uint64_t{1} << rights) - 1,
                      .handled_access_net = version >= 4 ? connect_and_bind : 0,
                      .scoped = version >= 6 ? sockets_and_signals : 0},
          .size = version >= 6   ? sizeof(Ruleset)
                  : version >= 4 ? 2 * sizeof(std::uint64_t)
                                 : sizeof(std::uint64_t)};
}

Result<void> open_directory(int ruleset, int directory, std::uint64_t rights) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = directory;
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return failed_call("landlock", errno);
  return {};
}

}  // namespace

Result<void> restrict_paths(std::span<const int> directories) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  // Not in this kernel, switched off, or hidden by a filter of whoever started us.
  if (version < 1) return {};
  const Attributes attributes = everything(version);
  const Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes.ruleset, attributes.size, 0)));
  if (!ruleset) return failed_call("landlock", errno);
  for (const int directory : directories)
    TRY(open_directory(ruleset.get(), directory, attributes.ruleset.handled_access_fs));
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return failed_call("landlock", errno);
  return {};
}

}  // namespace vmfs
