// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <optional>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/container/plan.h"
#include "launcher/container/poller.h"
#include "launcher/container/stop.h"
#include "launcher/container/streams.h"
#include "launcher/container/terminal.h"
#include "launcher/fd.h"

namespace vmfs {

/// What a process in a container is to the one that waits for it outside: standard streams that are copied,
/// signals that are handed on, a terminal whose keys go through, and an exit status.
class Session {
 public:
  /// `console` is where the process sends the other side of its terminal, if it is to have one. The plan must
  /// live as long as this.
  Session(Streams streams, Fd console, const Plan& plan);

  /// What would end a plain command asks the process to shut down, in this way.
  void shut_down_by(Stop stop) { stop_ = stop; }

  /// The process has started, as a child of this one. Signals of this one go to it from now on.
  void begin(pid_t pid);

  /// Has all done that this process must do for the other while it runs.
  void watch(Poller& poller);

  /// How many milliseconds Poller::wait() may last then; below 0: for ever.
  [[nodiscard]] int patience() const;

  /// The signal that asks the process to end, as was said beside its terminal; 0: not said.
  [[nodiscard]] int stop_signal() const { return stop_signal_; }

  /// Whether it has ended and is buried; then its status as a shell gives it.
  [[nodiscard]] bool has_ended() const { return status_ >= 0; }
  [[nodiscard]] int status() const { return status_; }

  /// Whether it has ended, though perhaps not buried yet.
  [[nodiscard]] bool is_ending() const;

  void kill() const;

  /// Copies the last of what it wrote, and leaves our terminal as it was. Call it when it has ended. Waits
  /// for whoever reads our streams, but not for ever once a signal has asked for the end.
  void finish();

  /// Our terminal is as it was from now on, and our streams are not used any more.
  void leave_ours();

  /// Its terminal, if it has one, is as large as ours from now on.
  void copy_size() const;

  [[nodiscard]] Streams& streams() { return streams_; }
  [[nodiscard]] const Fd& console() const { return console_; }
  void close_console() { console_.reset(); }

 private:
  void connect_terminal();
  void forward_signals();

  Streams streams_;
  Fd console_;
  const Plan& plan_;
  std::optional<Stop> stop_;
  int stop_signal_ = 0;
  pid_t pid_ = 0;
  Fd process_;
  Fd signals_;
  RawTerminal raw_terminal_;
  bool asked_to_end_ = false;
  int status_ = -1;
};

/// The signals that a process which waits for another hands on to that. The rest are its own to stop or die
/// of.
[[nodiscard]] sigset_t forwarded_signals();

}  // namespace vmfs
