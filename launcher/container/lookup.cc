// SPDX-License-Identifier: MIT
#include "launcher/container/lookup.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <sstream>

#include <poll.h>

#include "launcher/container/process.h"
#include "launcher/container/stop.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

using Status = ContainerState::Status;

// How long the launcher may take to clear up after its container.
constexpr int patience_ms = 30'000;

// The field behind the program's name and the state, see proc(5).
pid_t parent_of(pid_t pid) {
  const std::string text = read_text(fmt::format("/proc/{}/stat", pid));
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string state;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

}  // namespace

Result<FoundContainer> find_container(const std::string& name) {
  const Registry registry = TRY(Registry::open());
  FoundContainer found;
  found.folder = TRY(registry.find(name));
  found.state = TRY(found.folder.read());
  if (found.state.status == Status::exited) return found;
  // Not another process that has its number by now: the launcher holds the lock.
  found.launcher = Fd(sys::pidfd_open(found.state.launcher));
  if (!found.folder.is_locked()) found.launcher.reset();
  return found;
}

Result<FoundContainer> find_running(const std::string& name) {
  FoundContainer found = TRY(find_container(name));
  if (!found.launcher || found.state.status == Status::exited)
    return fail(ESRCH, "{}: the container has ended", name);
  if (found.state.status != Status::running) return fail(ESRCH, "{}: the container is still starting", name);
  return found;
}

Result<void> signal_container(const FoundContainer& container, int signal) {
  const std::string& name = container.state.name;
  // As long as it starts, its launcher takes it along.
  if (container.state.pid == 0) {
    if (container.launcher && sys::pidfd_send_signal(container.launcher.get(), signal) == 0) return {};
    return fail(ESRCH, "{}: the container has ended", name);
  }
  const Fd process(sys::pidfd_open(container.state.pid));
  // The launcher buries its child itself: as long as it is the parent, the number is the child's.
  if (!process || parent_of(container.state.pid) != container.state.launcher || !container.folder.is_locked())
    return fail(ESRCH, "{}: the container has ended", name);
  if (sys::pidfd_send_signal(process.get(), signal) != 0) return failed_call(name, errno);
  return {};
}

namespace {

// PID 1 loses a signal that it does not expect yet; our own init expects all of them. False: it has not come
// to that in so many milliseconds.
bool await_readiness(const FoundContainer& container, int timeout) {
  if (!container.state.boot || container.state.pid == 0) return true;
  constexpr int between_looks = 50;
  const std::string path = fmt::format("/proc/{}/status", container.state.pid);
  for (int waited = 0; !awaits_signal(read_text(path), container.state.stop_signal);
       waited += between_looks) {
    if (waited > timeout && timeout >= 0) return false;
    if (await_end(container, between_looks)) return true;
  }
  return true;
}

}  // namespace

bool await_end(const FoundContainer& container, int timeout) {
  if (!container.launcher) return true;
  pollfd ended{.fd = container.launcher.get(), .events = POLLIN, .revents = 0};
  int status = 0;
  while ((status = ::poll(&ended, 1, timeout)) < 0 && errno == EINTR) {
  }
  return status > 0;
}

Result<void> stop_container(const FoundContainer& container, unsigned seconds) {
  const auto gone = [](const Result<void>& signalled) {
    return !signalled && signalled.error().code == ESRCH;
  };
  const int timeout = seconds > INT_MAX / 1000 ? -1 : static_cast<int>(seconds) * 1000;
  if (seconds > 0 && await_readiness(container, timeout)) {
    const auto asked = signal_container(container, container.state.stop_signal);
    if (!asked && !gone(asked)) return asked;
    if (asked && await_end(container, timeout)) return {};
  }
  const auto killed = signal_container(container, SIGKILL);
  if (!killed && !gone(killed)) return killed;
  if (await_end(container, patience_ms)) return {};
  return fail(
      ETIMEDOUT,
      "{}: killed, but its launcher (pid {}) still runs; it may be stopped, or wait for whoever reads "
      "its output",
      container.state.name, container.state.launcher);
}

}  // namespace vmfs
