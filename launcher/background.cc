// SPDX-License-Identifier: MIT
#include "launcher/background.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmfs {
namespace {

[[noreturn]] void wait_until_ready(const Fd& ready, pid_t child) {
  char byte = 0;
  ssize_t length = 0;
  while ((length = ::read(ready.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (length == 1) ::_exit(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  std::fprintf(stderr, "vmfs: the server was ended by signal %d (%s) while it looked at the image\n",
               WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  ::_exit(1);
}

std::unexpected<Error> failed(int code) {
  return fail(code, "cannot go to the background: {}", std::generic_category().message(code));
}

}  // namespace

Result<Background> Background::start(const std::function<Result<void>(pid_t)>& beside) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed(errno);
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return failed(errno);
  const pid_t child = ::fork();
  if (child < 0) return failed(errno);
  if (child > 0) {
    writer.reset();
    if (const auto started = beside(child); !started) {
      fmt::print(stderr, "vmfs: {}\n", started.error().what);
      ::kill(child, SIGKILL);
      ::_exit(1);
    }
    wait_until_ready(reader, child);
  }
  return Background(std::move(writer), std::move(null));
}

void Background::ready() {
  ::setsid();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup3(null_.get(), stream, 0);
  null_.reset();
  (void)!::write(caller_.get(), "", 1);
  caller_.reset();
}

}  // namespace vmfs
