// SPDX-License-Identifier: MIT
#include "launcher/container/report.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr std::size_t longest_message = 4000;  // one write(2) of it into a pipe is never torn apart

}  // namespace

Result<Report> Report::make() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed_call("pipe", errno);
  Report report;
  report.reader_ = Fd(ends[0]);
  report.writer_ = Fd(ends[1]);
  return report;
}

void Report::move_writer(int fd) {
  if (writer_.get() == fd) return;
  ::dup3(writer_.get(), fd, O_CLOEXEC);
  writer_ = Fd(fd);
}

void Report::fail_with(const Failure& failure) const {
  std::string text(1, static_cast<char>(failure.status));
  text += failure.message.substr(0, longest_message);
  text += '\0';
  if (::write(writer_.get(), text.data(), text.size()) < 0) ::_exit(exit_own_failure);
  ::_exit(failure.status);
}

std::optional<Failure> Report::receive() {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t length = ::read(reader_.get(), buffer, sizeof buffer);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    text.append(buffer, static_cast<std::size_t>(length));
  }
  reader_.reset();
  if (text.empty()) return std::nullopt;
  // Who fails first knows why.
  return Failure{.status = static_cast<unsigned char>(text.front()),
                 .message = text.substr(1, text.find('\0', 1) - 1)};
}

}  // namespace vmfs
