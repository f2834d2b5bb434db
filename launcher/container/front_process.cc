// SPDX-License-Identifier: MIT
#include "launcher/container/front_process.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/session.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// What a terminal sends goes to the child as well by itself.
void hand_on(const Fd& signals, const Fd& child) {
  signalfd_siginfo info{};
  while (::read(signals.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_code != SI_KERNEL) sys::pidfd_send_signal(child.get(), static_cast<int>(info.ssi_signo));
  }
}

[[noreturn]] void wait_in_front(pid_t pid, const Fd& child, const Fd& socket) {
  const sigset_t forwarded = forwarded_signals();
  const Fd signals(::signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK));
  bool ended = false;
  while (!ended) {
    Poller poller;
    poller.add(signals.get(), POLLIN, [&](short) { hand_on(signals, child); });
    poller.add(socket.get(), POLLIN, [&](short) { ended = true; });
    poller.wait();
  }
  char left = 0;
  if (::read(socket.get(), &left, 1) == 1) ::_exit(0);
  ::_exit(wait_for(pid));
}

}  // namespace

Result<FrontProcess> FrontProcess::split() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failed_call("socketpair", errno);
  Fd front(ends[0]);
  FrontProcess process;
  process.front_ = Fd(ends[1]);
  const sigset_t forwarded = forwarded_signals();
  sigset_t before{};
  ::sigprocmask(SIG_BLOCK, &forwarded, &before);
  const pid_t pid = ::fork();
  if (pid < 0) return failed_call("fork", errno);
  if (pid > 0) {
    process.front_.reset();
    wait_in_front(pid, Fd(sys::pidfd_open(pid)), front);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return process;
}

void FrontProcess::watch(Poller& poller, std::function<void()> lost) {
  poller.add(front_.get(), POLLIN, [this, lost = std::move(lost)](short) {
    front_.reset();
    lost();
  });
}

void FrontProcess::leave() {
  ::setsid();
  if (::chdir("/") != 0) return;
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int stream = 0; stream < 3; ++stream) ::dup2(null.get(), stream);
  if (::write(front_.get(), "", 1) < 0) return;
  front_.reset();
}

}  // namespace vmfs
