// SPDX-License-Identifier: MIT
#include "launcher/container/terminal.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/container/descriptors.h"
#include "launcher/container/mounts.h"
#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr std::string_view terminal_word = "terminal ";  // the stop signal's number follows

}  // namespace

Result<Fd> open_terminal(const Fd& console, bool is_console, int stop_signal) {
  std::vector<Fd> master;
  master.emplace_back(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
  if (!master[0]) return failed_call("/dev/pts/ptmx", errno);
  int number = 0;
  int locked = 0;
  if (::ioctl(master[0].get(), TIOCGPTN, &number) != 0 ||
      ::ioctl(master[0].get(), TIOCSPTLCK, &locked) != 0) {
    return failed_call("terminal", errno);
  }
  Fd terminal(::ioctl(master[0].get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) return failed_call("terminal", errno);
  if (is_console) {
    const Fd mount = TRY(bind_mount(fmt::format("/dev/pts/{}", number), 0));
    TRY(attach_file(mount, "/dev/console"));
  }
  TRY(send_message(console, fmt::format("{}{}", terminal_word, stop_signal), master));
  char answer = 0;
  if (::read(console.get(), &answer, 1) != 1) return failed_call("terminal", EPIPE);
  return terminal;
}

Result<void> take_terminal() {
  if (::ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0) return failed_call("terminal", errno);
  return {};
}

Result<Console> receive_terminal(const Fd& console, std::span<const int> streams) {
  Message message = TRY(receive_message(console));
  if (message.descriptors.size() != 1 || !message.text.starts_with(terminal_word))
    return failed_call("terminal", EPROTO);
  Console received{.terminal = std::move(message.descriptors[0])};
  const std::string number = message.text.substr(terminal_word.size());
  std::from_chars(number.data(), number.data() + number.size(), received.stop_signal);
  copy_terminal_size(received.terminal, streams);
  if (::send(console.get(), "", 1, MSG_NOSIGNAL) != 1) return failed_call("terminal", errno);
  return received;
}

void copy_terminal_size(const Fd& terminal, std::span<const int> streams) {
  winsize size{};
  for (const int ours : streams) {
    if (::ioctl(ours, TIOCGWINSZ, &size) == 0) {
      ::ioctl(terminal.get(), TIOCSWINSZ, &size);
      return;
    }
  }
}

std::optional<termios> terminal_settings(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return std::nullopt;
  return settings;
}

void RawTerminal::enter() {
  saved_ = terminal_settings(STDIN_FILENO);
  if (!saved_) return;
  termios raw = *saved_;
  ::cfmakeraw(&raw);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

void RawTerminal::leave() {
  if (!saved_) return;
  // A process in the background may do so only if it cannot be stopped for it.
  const auto before = ::signal(SIGTTOU, SIG_IGN);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*saved_);
  ::signal(SIGTTOU, before);
  saved_.reset();
}

}  // namespace vmfs
