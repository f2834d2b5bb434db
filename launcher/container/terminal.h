// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

#include <termios.h>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// In the container: a terminal of its own devpts, which is its /dev/console too if `is_console` says so. The
/// other side of it goes out through `console`, with the signal that asks the container to stop; the terminal
/// is returned once that side is ready, with the right size.
[[nodiscard]] Result<Fd> open_terminal(const Fd& console, bool is_console, int stop_signal);

/// In the program's process: the terminal, which is descriptor 0, controls a new session.
[[nodiscard]] Result<void> take_terminal();

/// The other side of a container's terminal.
struct Console {
  Fd terminal;
  int stop_signal = 0;
};

/// Outside: what was sent through `console`; it has the size of ours, which is among `streams`.
[[nodiscard]] Result<Console> receive_terminal(const Fd& console, std::span<const int> streams);

/// Gives the container's terminal the size of ours, which is the first among `streams`, if any is.
void copy_terminal_size(const Fd& terminal, std::span<const int> streams);

/// Our own terminal, if standard input is one, passing on every key while this lives.
class RawTerminal {
 public:
  RawTerminal() = default;
  ~RawTerminal() { leave(); }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  void enter();
  void leave();

 private:
  std::optional<termios> saved_;
};

/// How the terminal on standard input is set; nothing if none is there.
[[nodiscard]] std::optional<termios> terminal_settings(int fd);

}  // namespace vmfs
