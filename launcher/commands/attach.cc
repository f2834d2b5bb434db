// SPDX-License-Identifier: MIT
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/signalfd.h>

#include "launcher/commands/commands.h"
#include "launcher/container/container.h"
#include "launcher/container/control.h"
#include "launcher/container/lookup.h"
#include "launcher/container/report.h"
#include "launcher/container/session.h"

namespace vmfs {
namespace {

Result<std::vector<Fd>> copy_streams() {
  std::vector<Fd> streams;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    streams.emplace_back(::fcntl(stream, F_DUPFD_CLOEXEC, 3));
    if (!streams.back()) return fail(errno, "standard streams");
  }
  return streams;
}

// The launcher copies by itself; here is left to hand on signals and to wait.
int attend(const FoundContainer& found, const Fd& control, const Fd& signals) {
  std::optional<int> status;
  while (!status) {
    Poller poller;
    poller.add(signals.get(), POLLIN, [&](short) {
      signalfd_siginfo info{};
      if (::read(signals.get(), &info, sizeof info) != sizeof info) return;
      if (info.ssi_signo == SIGWINCH) {
        (void)send_message(control, "size");
      } else {
        (void)signal_container(found, static_cast<int>(info.ssi_signo));
      }
    });
    poller.add(control.get(), POLLIN, [&](short) {
      const auto message = receive_message(control);
      if (!message || message->text.empty()) {
        status = exit_own_failure;
      } else if (message->text == "left") {
        status = 0;
      } else if (const int ended = ended_status(*message); ended >= 0) {
        status = ended;
      }
    });
    poller.wait();
  }
  return *status;
}

Result<int> attach(const std::string& name) {
  complete_standard_streams();
  const FoundContainer found = TRY(find_running(name));
  const Fd control = TRY(connect_control(found.folder.folder()));
  const sigset_t forwarded = forwarded_signals();
  ::sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  const Fd signals(::signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK));
  RawTerminal raw;
  if (found.state.terminal) raw.enter();
  const auto streams = TRY(copy_streams());
  TRY(send_message(control, "attach", streams));
  const Message answer = TRY(receive_message(control));
  if (answer.text != "ok") {
    raw.leave();
    return fail(EBUSY, "{}: the container is not in the background, or somebody else has attached to it",
                name);
  }
  return attend(found, control, signals);
}

}  // namespace

Command add_attach(CommandLine line) {
  auto name = std::make_shared<std::string>();
  line.argument("NAME", *name, "container that runs in the background");
  return [name] { return attach(*name); };
}

}  // namespace vmfs
