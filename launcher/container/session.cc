// SPDX-License-Identifier: MIT
#include "launcher/container/session.h"

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// How long nobody may read our streams once we were asked to end.
constexpr int patience_with_readers_ms = 1000;

bool is_request_to_stop(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT ||
         signal == SIGRTMIN + 3;
}

Streams::Kind kind_of_terminal(const Plan& plan) {
  if (!plan.boot) return Streams::Kind::session;
  return plan.terminal ? Streams::Kind::console : Streams::Kind::plain_console;
}

}  // namespace

sigset_t forwarded_signals() {
  sigset_t set{};
  ::sigfillset(&set);
  for (const int own : {SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP,
                        SIGSYS, SIGPIPE}) {
    ::sigdelset(&set, own);
  }
  return set;
}

Session::Session(Streams streams, Fd console, const Plan& plan)
    : streams_(std::move(streams)), console_(std::move(console)), plan_(plan) {}

void Session::begin(pid_t pid) {
  pid_ = pid;
  process_ = Fd(sys::pidfd_open(pid));
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t forwarded = forwarded_signals();
  ::sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  signals_ = Fd(::signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK));
}

void Session::watch(Poller& poller) {
  if (stop_) stop_->proceed(pid_, process_, Stop::Clock::now());
  poller.add(signals_.get(), POLLIN, [this](short) { forward_signals(); });
  streams_.watch(poller);
  poller.add(console_.get(), POLLIN, [this](short) { connect_terminal(); });
  poller.add(process_.get(), POLLIN, [this](short) {
    status_ = wait_for(pid_);
    process_.reset();
  });
}

int Session::patience() const {
  return stop_ ? stop_->wait_time(Stop::Clock::now()) : -1;
}

bool Session::is_ending() const {
  pollfd ended{.fd = process_.get(), .events = POLLIN, .revents = 0};
  return !process_ || ::poll(&ended, 1, 0) > 0;
}

void Session::kill() const {
  if (process_) sys::pidfd_send_signal(process_.get(), SIGKILL);
}

void Session::finish() {
  while (!streams_.drain()) {
    Poller poller;
    streams_.watch(poller);
    poller.add(signals_.get(), POLLIN, [this](short) { forward_signals(); });
    if (!poller.wait(asked_to_end_ ? patience_with_readers_ms : -1)) break;
  }
  raw_terminal_.leave();
}

void Session::leave_ours() {
  raw_terminal_.leave();
  streams_.leave_ours();
}

// From now on keys go to the container as they are. (Without a terminal the line only ends.)
void Session::connect_terminal() {
  auto console =
      has_terminal(plan_) ? receive_terminal(console_, streams_.ours()) : Result<Console>(Console{});
  console_.reset();
  if (!console || !console->terminal) return;
  stop_signal_ = console->stop_signal;
  if (stop_) stop_->use_signal(stop_signal_);
  if (!streams_.adopt_terminal(std::move(console->terminal), kind_of_terminal(plan_))) return;
  if (plan_.terminal && plan_.interactive && streams_.uses_ours()) raw_terminal_.enter();
}

void Session::copy_size() const {
  if (streams_.terminal()) copy_terminal_size(streams_.terminal(), streams_.ours());
}

void Session::forward_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGWINCH) {
      copy_size();
      continue;
    }
    const int signal = static_cast<int>(info.ssi_signo);
    asked_to_end_ = asked_to_end_ || is_request_to_stop(signal);
    if (stop_ && is_request_to_stop(signal)) {
      stop_->request(Stop::Clock::now());
    } else if (process_) {
      sys::pidfd_send_signal(process_.get(), signal);
    }
  }
}

}  // namespace vmfs
