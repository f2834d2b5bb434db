// SPDX-License-Identifier: MIT
#include "launcher/sandbox/sandbox.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "formats/workers.h"
#include "launcher/container/capabilities.h"
#include "launcher/container/process.h"
#include "launcher/sandbox/filter.h"
#include "launcher/sandbox/landlock.h"

namespace vmfs {
namespace {

// Caches take at most half of this (ImageCache::largest_size).
constexpr std::uint64_t own_memory = std::uint64_t{2} << 30;
// A stack, and what malloc(3) reserves, not uses, for a thread.
constexpr std::uint64_t thread_memory = (128U + 16U) << 20;
// The files of a chain and standard streams; a thread that serves has a pipe.
constexpr std::uint64_t own_files = 128;
constexpr std::uint64_t thread_files = 2;

Result<void> lower_limit(__rlimit_resource_t resource, std::uint64_t value) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return failed_call("limits", errno);
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(resource, &limit) != 0) return failed_call("limits", errno);
  return {};
}

Result<void> lower_limits(const SandboxNeeds& needs) {
  TRY(lower_limit(RLIMIT_CORE, 0));
  if constexpr (VMFS_HAS_SANITIZER) return {};
  TRY(lower_limit(RLIMIT_AS, own_memory + (needs.threads + Workers::max_threads) * thread_memory));
  // A copy has a directory open for each level of the tree.
  if (needs.work == Work::copy) return {};
  return lower_limit(RLIMIT_NOFILE, own_files + needs.threads * thread_files);
}

const Capabilities& kept_capabilities(Work work) {
  static const Capabilities none;
  // Those that the attributes of files need: owners, modes, devices, every kind of extended attribute.
  static const Capabilities of_copies = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
                                         CAP_FOWNER,  CAP_FSETID,       CAP_MKNOD,
                                         CAP_SETFCAP, CAP_SYS_ADMIN,    CAP_MAC_ADMIN};
  return work == Work::copy ? of_copies : none;
}

Result<void> drop_capabilities(Work work) {
  Capabilities kept;
  for (const cap_value_t value : kept_capabilities(work)) {
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> state(::cap_get_proc(), ::cap_free);
    cap_flag_value_t has = CAP_CLEAR;
    if (state && ::cap_get_flag(state.get(), value, CAP_PERMITTED, &has) == 0 && has == CAP_SET)
      kept.insert(value);
  }
  return set_capabilities(kept, {});
}

}  // namespace

Result<void> enter_sandbox(const SandboxNeeds& needs) {
  // The C library reads the time zone when it prints a time first, which servers never do.
  if (needs.work != Work::serve) ::tzset();
  TRY(drop_capabilities(needs.work));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed_call("no_new_privs", errno);
  if constexpr (!VMFS_HAS_SANITIZER) {
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed_call("PR_SET_DUMPABLE", errno);
    TRY(restrict_paths(needs.directories));
  }
  TRY(lower_limits(needs));
  TRY(load_filter(needs.work));
  // No process can be made from here on.
  allow_threads();
  return {};
}

}  // namespace vmfs
