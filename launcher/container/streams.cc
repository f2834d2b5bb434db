// SPDX-License-Identifier: MIT
#include "launcher/container/streams.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr std::size_t chunk = 65536;
constexpr char end_of_input_key = 'D' - '@';  // Ctrl-D

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed_call("pipe", errno);
  return Pipe{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

bool same_file(int one, int other) {
  struct stat first{};
  struct stat second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

// A terminal adds one to each line end, programs sometimes another; those that stand alone stay. `held`: one
// was at the end of the last text.
std::string without_carriage_returns(std::string_view text, bool& held) {
  std::string out;
  for (const char c : text) {
    if (held && c != '\n' && c != '\r') out += '\r';
    held = c == '\r';
    if (!held) out += c;
  }
  return out;
}

// Another way to a pipe or a terminal, that does not wait: how the descriptor itself behaves is the business
// of all who share it. None where it is something else, or another user's.
Fd open_without_waiting(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !(S_ISFIFO(status.st_mode) || ::isatty(fd) == 1)) return {};
  return Fd(
      ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

// What goes without waiting, or errno EAGAIN. A pipe that is not full takes so much at once.
ssize_t write_some(int fd, std::string_view text) {
  const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(fd, text.data(), std::min(text.size(), std::size_t{PIPE_BUF}));
}

}  // namespace

Result<Fd> Streams::add_output(int stream) {
  Pipe pipe = TRY(make_pipe());
  outputs_.push_back({.from = std::move(pipe.read), .to = stream});
  return std::move(pipe.write);
}

Result<Streams> Streams::make_none() {
  Streams streams;
  for (Fd& inner : streams.inner_) {
    inner = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!inner) return failed_call("/dev/null", errno);
  }
  return streams;
}

Result<Streams> Streams::make(bool interactive, bool terminal, bool together) {
  Streams streams;
  streams.interactive_ = interactive;
  streams.open_writers();
  if (terminal) {
    streams.inner_ = std::move(TRY(make_none()).inner_);
    return streams;
  }
  if (interactive) {
    Pipe pipe = TRY(make_pipe());
    ::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK);
    streams.inner_[STDIN_FILENO] = std::move(pipe.read);
    streams.input_ = std::move(pipe.write);
    streams.reading_ = true;
  } else {
    streams.inner_[STDIN_FILENO] = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  streams.inner_[STDOUT_FILENO] = TRY(streams.add_output(STDOUT_FILENO));
  if (together || same_file(STDOUT_FILENO, STDERR_FILENO)) {
    streams.inner_[STDERR_FILENO] = Fd(::fcntl(streams.inner_[STDOUT_FILENO].get(), F_DUPFD_CLOEXEC, 3));
  } else {
    streams.inner_[STDERR_FILENO] = TRY(streams.add_output(STDERR_FILENO));
  }
  return streams;
}

Result<void> Streams::add_messages() {
  inner_messages_ = TRY(add_output(STDERR_FILENO));
  return {};
}

void Streams::install_messages() const {
  if (inner_messages_) ::dup3(inner_messages_.get(), STDERR_FILENO, 0);
}

Result<void> Streams::adopt_terminal(Fd terminal, Kind kind) {
  if (kind != Kind::session)
    console_ = Fd(::ioctl(terminal.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  ::fcntl(terminal.get(), F_SETFL, O_NONBLOCK);
  for (Fd* copy : {&terminal_, &input_}) {
    *copy = Fd(::fcntl(terminal.get(), F_DUPFD_CLOEXEC, 3));
    if (!*copy) return failed_call("terminal", errno);
  }
  outputs_.push_back(
      {.from = std::move(terminal), .to = STDOUT_FILENO, .plain = kind == Kind::plain_console});
  reading_ = interactive_ && uses_ours();
  return {};
}

Result<void> Streams::install() const {
  for (int stream = 0; stream < 3; ++stream) {
    if (::dup2(inner_.at(static_cast<std::size_t>(stream)).get(), stream) < 0) {
      return failed_call("standard streams", errno);
    }
  }
  return {};
}

void Streams::close_inner() {
  for (Fd& fd : inner_) fd.reset();
  inner_messages_.reset();
}

void Streams::close_all() {
  close_inner();
  close_input();
  outputs_.clear();
  for (Fd& writer : writers_) writer.reset();
}

void Streams::open_writers() {
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    const auto i = static_cast<std::size_t>(stream);
    writers_.at(i) = open_without_waiting(ours_.at(i));
  }
}

int Streams::writer_of(int stream) const {
  const auto i = static_cast<std::size_t>(stream);
  return ours_.at(i) >= 0 && writers_.at(i) ? writers_.at(i).get() : ours_.at(i);
}

void Streams::leave_all_but_messages() {
  const int errors = ours_[STDERR_FILENO];
  leave_ours();
  ours_[STDERR_FILENO] = errors;
  open_writers();
}

void Streams::leave_ours() {
  ours_.fill(-1);
  borrowed_.clear();
  for (Fd& writer : writers_) writer.reset();
  reading_ = false;
}

void Streams::use(std::vector<Fd> ours) {
  borrowed_ = std::move(ours);
  for (std::size_t i = 0; i < ours_.size(); ++i) ours_.at(i) = i < borrowed_.size() ? borrowed_[i].get() : -1;
  open_writers();
  reading_ = interactive_ && input_;
}

void Streams::watch(Poller& poller) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Output& output = outputs_[i];
    if (writer_of(output.to) < 0) output.rest.clear();
    if (output.rest.empty()) {
      poller.add(output.from.get(), POLLIN, [this, i](short) {
        if (!copy(outputs_[i])) outputs_[i].from.reset();
      });
    } else {
      poller.add(writer_of(output.to), POLLOUT, [this, i](short) {
        if (!write_out(outputs_[i])) outputs_[i].from.reset();
      });
    }
  }
  if (reading_ && pending_.empty()) {
    poller.add(ours_[STDIN_FILENO], POLLIN, [this](short) { fill_input(); });
  }
  // Without events poll(2) still tells that the container has closed its end.
  const short wanted = pending_.empty() ? 0 : POLLOUT;
  poller.add(input_.get(), wanted, [this](short events) {
    if ((events & POLLERR) != 0) {
      close_input();
    } else if (input_ && (events & POLLOUT) != 0) {
      flush_input();
    }
  });
}

// What leads nowhere any more ends the stream, unless there is a log: whoever looked on from outside has
// gone.
bool Streams::write_out(Output& output) {
  const int to = writer_of(output.to);
  while (to >= 0 && !output.rest.empty()) {
    const ssize_t written = write_some(to, output.rest);
    if (written >= 0) {
      output.rest.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      output.rest.clear();
      if (log_ != nullptr) leave_ours();
      return log_ != nullptr;
    }
  }
  output.rest.clear();
  return true;
}

bool Streams::copy(Output& output) {
  char buffer[chunk];
  const ssize_t length = ::read(output.from.get(), buffer, sizeof buffer);
  if (length < 0) return errno == EINTR || errno == EAGAIN;
  if (length == 0) return false;
  output.rest.assign(buffer, static_cast<std::size_t>(length));
  if (output.plain) output.rest = without_carriage_returns(output.rest, output.held);
  if (log_ != nullptr) log_->append(output.rest);
  // Nobody to write to: the container shall notice as if it had written itself.
  return write_out(output);
}

void Streams::fill_input() {
  char buffer[chunk];
  const ssize_t length = ::read(ours_[STDIN_FILENO], buffer, sizeof buffer);
  if (length < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (length > 0) {
    pending_.assign(buffer, static_cast<std::size_t>(length));
    if (terminal_ && keys_.filter(pending_)) asked_to_leave_ = true;
    if (!pending_.empty()) flush_input();
  } else if (length < 0 && !borrowed_.empty()) {
    leave_ours();  // whoever lent them is gone
  } else if (terminal_) {
    // A terminal is never at its end; a key says so.
    reading_ = false;
    pending_ = end_of_input_key;
    flush_input();
  } else {
    close_input();
  }
}

void Streams::flush_input() {
  const ssize_t written = ::write(input_.get(), pending_.data(), pending_.size());
  if (written > 0) {
    pending_.erase(0, static_cast<std::size_t>(written));
  } else if (written < 0 && errno != EINTR && errno != EAGAIN) {
    close_input();
  }
}

void Streams::close_input() {
  input_.reset();
  pending_.clear();
  reading_ = false;
}

bool Streams::drain() {
  close_input();
  bool done = true;
  for (Output& output : outputs_) {
    if (output.from) ::fcntl(output.from.get(), F_SETFL, O_NONBLOCK);
    while (output.from && output.rest.empty()) {
      pollfd more{.fd = output.from.get(), .events = POLLIN, .revents = 0};
      if (!copy(output) || ::poll(&more, 1, 0) <= 0) output.from.reset();
    }
    done = done && output.rest.empty();
  }
  return done;
}

}  // namespace vmfs
