// SPDX-License-Identifier: MIT
#include "launcher/container/capabilities.h"

#include <cerrno>
#include <memory>

#include <sys/prctl.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

Result<void> set_flag(cap_t state, cap_flag_t flag, const Capabilities& capabilities) {
  const std::vector<cap_value_t> values(capabilities.begin(), capabilities.end());
  if (!values.empty() &&
      ::cap_set_flag(state, flag, static_cast<int>(values.size()), values.data(), CAP_SET) != 0) {
    return failed_call("capabilities", errno);
  }
  return {};
}

}  // namespace

const Capabilities& default_capabilities() {
  static const Capabilities set = {CAP_CHOWN,   CAP_DAC_OVERRIDE,     CAP_FOWNER,    CAP_FSETID,
                                   CAP_KILL,    CAP_NET_BIND_SERVICE, CAP_SETFCAP,   CAP_SETGID,
                                   CAP_SETPCAP, CAP_SETUID,           CAP_SYS_CHROOT};
  return set;
}

const Capabilities& boot_capabilities() {
  static const Capabilities set = [] {
    Capabilities out = default_capabilities();
    out.insert(CAP_SYS_BOOT);
    return out;
  }();
  return set;
}

Result<void> bound_capabilities(const Capabilities& kept) {
  // The kernel may know more than the headers this was compiled with.
  for (cap_value_t value = 0; ::prctl(PR_CAPBSET_READ, value) >= 0; ++value) {
    if (!kept.contains(value) && ::prctl(PR_CAPBSET_DROP, value) != 0)
      return failed_call("capability bounding set", errno);
  }
  return {};
}

Result<void> set_capabilities(const Capabilities& kept, const Capabilities& ambient) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> state(::cap_init(), ::cap_free);
  TRY(set_flag(state.get(), CAP_PERMITTED, kept));
  TRY(set_flag(state.get(), CAP_EFFECTIVE, kept));
  TRY(set_flag(state.get(), CAP_INHERITABLE, ambient));
  if (::cap_set_proc(state.get()) != 0) return failed_call("capabilities", errno);
  for (const cap_value_t value : ambient) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, value, 0, 0) != 0)
      return failed_call("ambient capabilities", errno);
  }
  return {};
}

}  // namespace vmfs
