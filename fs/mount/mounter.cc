// SPDX-License-Identifier: MIT
#include "fs/mount/mounter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "formats/text.h"
#include "fs/mount/kernel_mount.h"
#include "fs/mount/mount_table.h"
#include "fs/mount/unmount.h"

namespace vmfs {
namespace {

/// What is asked for: the first byte of a message, before the text of `log`.
enum class Request : char { mount = 'm', serving = 's', unmount = 'u', gone = 'g', log = 'l' };

/// The answer to mount and unmount; a descriptor comes with the former.
struct Answer {
  int code;
  std::array<char, 1020> text;  ///< ends with a zero byte
};

constexpr std::size_t max_request = 2048;
/// Whoever took the server over must not fill the disk with it.
constexpr int max_log_lines = 1000;

Answer to_answer(const Error& error) {
  Answer answer{.code = error.code, .text = {}};
  error.what.copy(answer.text.data(), answer.text.size() - 1);
  return answer;
}

/// Room for one descriptor beside a message.
union Ancillary {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

void send_answer(int socket, const Answer& answer, int fd) {
  iovec part{.iov_base = const_cast<Answer*>(&answer), .iov_len = sizeof answer};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = &ancillary;
    message.msg_controllen = sizeof ancillary;
    ancillary.header = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(CMSG_DATA(&ancillary.header), &fd, sizeof fd);
  }
  (void)::sendmsg(socket, &message, MSG_NOSIGNAL);
}

/// The process itself.
class Helper {
 public:
  Helper(int socket, const std::filesystem::path& mountpoint, const std::string& source,
         const MountOptions& options)
      : socket_(socket),
        auto_unmount_(options.auto_unmount),
        plan_(MountPlan::make(mountpoint, source, options)) {}

  void run() {
    std::array<char, max_request> request{};
    while (true) {
      const ssize_t length = ::recv(socket_, request.data(), request.size(), 0);
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) break;
      carry_out(Request{request[0]},
                std::string_view(request.data() + 1, static_cast<std::size_t>(length) - 1));
    }
    if (mounted_ && !(serving_ && !auto_unmount_)) (void)take_away();
  }

 private:
  void carry_out(Request request, std::string_view text) {
    switch (request) {
      case Request::mount:
        mount();
        break;
      case Request::serving:
        serving_ = true;
        break;
      case Request::unmount:
        send_answer(socket_, to_answer(take_away()), -1);
        break;
      case Request::gone:
        mounted_.reset();
        break;
      case Request::log:
        if (lines_++ < max_log_lines) ::syslog(LOG_DAEMON | LOG_WARNING, "%s", printable(text).c_str());
        break;
    }
  }

  void mount() {
    if (mounted_) return send_answer(socket_, {.code = EBUSY, .text = {}}, -1);
    if (!plan_) return send_answer(socket_, to_answer(plan_.error()), -1);
    auto mounted = plan_->carry_out();
    if (!mounted) return send_answer(socket_, to_answer(mounted.error()), -1);
    mounted_ = *mounted;
    // No directory of the caller's may be busy, and the connection must end with the server.
    if (::chdir("/") != 0) ::_exit(1);
    send_answer(socket_, {.code = 0, .text = {}}, mounted->connection);
    ::close(mounted->connection);
  }

  Error take_away() {
    if (!mounted_) return {0, ""};
    const KernelMount taken = *std::exchange(mounted_, std::nullopt);
    // Another mount may lie there by now.
    const auto found = find_mount(taken.directory);
    if (!found || !*found || (*found)->device != taken.device) return {0, ""};
    const int code = unmount(taken.directory, true);
    return {code, code == 0 ? ""
                            : fmt::format("{}: cannot unmount: {}", taken.directory.string(),
                                          std::generic_category().message(code))};
  }

  const int socket_;
  const bool auto_unmount_;
  Result<MountPlan> plan_;  ///< made while the server still looks at the image
  std::optional<KernelMount> mounted_;
  bool serving_ = false;
  int lines_ = 0;
};

/// Makes a process that is nobody's: no terminal, no descriptor but `socket`, which gets number 3, and
/// `process`, 4.
void cut_off(int socket, int process) {
  ::setsid();
  ::prctl(PR_SET_NAME, "vmfs-mounter");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_IGN);
  const int low_socket = ::fcntl(socket, F_DUPFD_CLOEXEC, 16);
  const int low_process = ::fcntl(process, F_DUPFD_CLOEXEC, 16);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
  ::dup3(low_socket, 3, O_CLOEXEC);
  ::dup3(low_process, 4, O_CLOEXEC);
  ::close_range(5, ~0U, 0);
}

void wait_for_end(int process) {
  pollfd ended{.fd = process, .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

int open_process(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

void request(int socket, Request what, std::string_view text = {}) {
  std::string message(1, static_cast<char>(what));
  message += text.substr(0, max_request - 1);
  (void)::send(socket, message.data(), message.size(), MSG_NOSIGNAL);
}

/// The answer, and the descriptor that came with it or -1. Errors: EIO, and those of the answer.
Result<int> receive(int socket) {
  Answer answer{};
  iovec part{.iov_base = &answer, .iov_len = sizeof answer};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof ancillary;
  ssize_t length = 0;
  while ((length = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (length != sizeof answer) return fail(EIO, "the process that mounts has gone");
  if (answer.code != 0) return fail(answer.code, "{}", answer.text.data());
  int fd = -1;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

std::unexpected<Error> failed(int code) {
  return fail(code, "cannot start the process that mounts: {}", std::generic_category().message(code));
}

}  // namespace

Result<std::unique_ptr<Mounter>> Mounter::create() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed(errno);
  return std::unique_ptr<Mounter>(new Mounter(ends[0], ends[1]));
}

Result<void> Mounter::start(pid_t server, const std::filesystem::path& mountpoint, const std::string& source,
                            const MountOptions& options) {
  const int process = open_process(server);
  const pid_t child = process < 0 ? -1 : ::fork();
  if (child == 0) {
    cut_off(other_end_, process);
    Helper(3, mountpoint, source, options).run();
    // Whoever waits for this process waits for the server.
    wait_for_end(4);
    ::_exit(0);
  }
  const int code = errno;
  close_other_end();
  if (process >= 0) ::close(process);
  if (child < 0) return failed(code);
  return {};
}

void Mounter::close_other_end() {
  if (const int end = std::exchange(other_end_, -1); end >= 0) ::close(end);
}

Mounter::~Mounter() {
  close_other_end();
  ::close(socket_);
}

Result<int> Mounter::mount() {
  close_other_end();
  request(socket_, Request::mount);
  return receive(socket_);
}

void Mounter::serving() {
  request(socket_, Request::serving);
}

Result<void> Mounter::unmount() {
  request(socket_, Request::unmount);
  std::ignore = TRY(receive(socket_));
  return {};
}

void Mounter::gone() {
  request(socket_, Request::gone);
}

void Mounter::log(std::string_view message) const {
  request(socket_, Request::log, message);
}

}  // namespace vmfs
