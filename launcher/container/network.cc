// SPDX-License-Identifier: MIT
#include "launcher/container/network.h"

#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/report.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// Only what was asked for goes in, only what the container opens goes out, and the machine's own loopback is
// out of reach, by whatever address.
std::vector<std::string> pasta_words(const Network& network, pid_t process) {
  std::vector<std::string> words = {"pasta", "--config-net", "--foreground", "--quiet", "--no-map-gw"};
  // To keep the right to enter a namespace that root made.
  if (::geteuid() == 0) words.insert(words.end(), {"--runas", "0:0"});
  for (const auto& [option, ports] : {std::pair{"-t", &network.tcp}, std::pair{"-u", &network.udp}}) {
    if (ports->empty()) words.insert(words.end(), {option, "none"});
    for (const std::string& port : *ports) words.insert(words.end(), {option, port});
  }
  words.insert(words.end(), {"-T", "none", "-U", "none", "--dns-forward", dns_forward_address});
  words.insert(words.end(), {"--pid", "/dev/stdout", std::to_string(process)});
  return words;
}

std::string_view tun_advice() {
  if (::access("/dev/net/tun", R_OK | W_OK) == 0) return "";
  return errno == ENOENT
             ? "; `modprobe tun` as root makes /dev/net/tun"
             : "; stock systems have /dev/net/tun open to everybody: `chmod 0666 /dev/net/tun` as root";
}

// What pasta is started with: its end of the lifeline, where it says that the network is up, and why not.
struct Wiring {
  Fd lifeline;
  Fd inner_lifeline;
  Fd ready;
  Fd inner_ready;
  Fd errors;
};

Result<Wiring> make_wiring() {
  int lifeline[2];
  int ready[2];
  if (::pipe2(lifeline, O_CLOEXEC) != 0) return failed_call("pipe", errno);
  Wiring wiring;
  wiring.inner_lifeline = Fd(lifeline[0]);
  wiring.lifeline = Fd(lifeline[1]);
  if (::pipe2(ready, O_CLOEXEC) != 0) return failed_call("pipe", errno);
  wiring.ready = Fd(ready[0]);
  wiring.inner_ready = Fd(ready[1]);
  wiring.errors = make_page("pasta");
  if (!wiring.errors) return failed_call("memfd_create", errno);
  return wiring;
}

// The kernel kills this process once the pipe at its standard input has no other end, whatever it executes
// meanwhile. (PR_SET_PDEATHSIG would be undone when pasta enters the user namespace.)
void die_with_pipe() {
  ::fcntl(STDIN_FILENO, F_SETOWN, ::getpid());
  ::fcntl(STDIN_FILENO, F_SETSIG, SIGKILL);
  ::fcntl(STDIN_FILENO, F_SETFL, O_ASYNC);
  // It may have been lost before.
  pollfd other_end{.fd = STDIN_FILENO, .events = 0, .revents = 0};
  if (::poll(&other_end, 1, 0) > 0) ::_exit(exit_own_failure);
}

[[noreturn]] void be_pasta(Wiring& wiring, std::vector<std::string>& words) {
  wiring.lifeline.reset();
  ::dup2(wiring.inner_lifeline.get(), STDIN_FILENO);
  ::dup2(wiring.inner_ready.get(), STDOUT_FILENO);
  ::dup2(wiring.errors.get(), STDERR_FILENO);
  // What the caller's terminal sends is for the container.
  ::setsid();
  die_with_pipe();
  sigset_t none{};
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  const std::string message = describe_errno(errno);
  if (::write(STDERR_FILENO, message.data(), message.size()) < 0) ::_exit(exit_not_executable);
  ::_exit(exit_not_found);
}

// It writes its process id once the network is up.
bool is_up(const Fd& ready) {
  char digit = 0;
  ssize_t length = 0;
  while ((length = ::read(ready.get(), &digit, 1)) < 0 && errno == EINTR) {
  }
  return length == 1;
}

}  // namespace

Carrier::Carrier(Carrier&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), fd_(std::move(other.fd_)), lifeline_(std::move(other.lifeline_)) {}

Carrier& Carrier::operator=(Carrier&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
    fd_ = std::move(other.fd_);
    lifeline_ = std::move(other.lifeline_);
  }
  return *this;
}

void Carrier::stop() {
  if (!fd_) return;
  sys::pidfd_send_signal(fd_.get(), SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  fd_.reset();
  lifeline_.reset();
}

Result<Carrier> Carrier::start(const Network& network, pid_t process) {
  Wiring wiring = TRY(make_wiring());
  auto words = pasta_words(network, process);
  const pid_t pid = ::fork();
  if (pid < 0) return failed_call("fork", errno);
  if (pid == 0) be_pasta(wiring, words);
  wiring.inner_lifeline.reset();
  wiring.inner_ready.reset();
  if (!is_up(wiring.ready)) {
    wiring.lifeline.reset();
    wait_for(pid);
    const std::string message = last_line(read_page(wiring.errors));
    return fail(ENETUNREACH, "pasta: {}{}", message.empty() ? "failed" : message, tun_advice());
  }
  Carrier carrier;
  carrier.pid_ = pid;
  carrier.fd_ = Fd(sys::pidfd_open(pid));
  carrier.lifeline_ = std::move(wiring.lifeline);
  return carrier;
}

bool can_carry() {
  return is_installed("pasta");
}

Result<void> start_loopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return failed_call("loopback interface", errno);
  }
  return {};
}

}  // namespace vmfs
