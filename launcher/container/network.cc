// SPDX-License-Identifier: MIT
#include "launcher/container/network.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// Only what was asked for goes in, only what the container opens goes out, and the machine's own loopback is
// out of reach, by whatever address.
std::vector<std::string> pasta_words(const Network& network, pid_t process) {
  std::vector<std::string> words = {"pasta", "--config-net", "--quiet", "--no-map-gw"};
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

}  // namespace

Carrier::Carrier(Carrier&& other) noexcept : pid_(std::exchange(other.pid_, 0)), fd_(std::move(other.fd_)) {}

Carrier& Carrier::operator=(Carrier&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
    fd_ = std::move(other.fd_);
  }
  return *this;
}

void Carrier::stop() {
  if (!fd_) return;
  sys::pidfd_send_signal(fd_.get(), SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  fd_.reset();
}

Result<Carrier> Carrier::start(const Network& network, pid_t process) {
  // It goes to the background by itself once all is set up; that child shall be ours to bury.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Finished finished = TRY(run_program(pasta_words(network, process)));
  if (finished.status != 0) {
    return fail(ENETUNREACH, "pasta: {}{}", finished.message.empty() ? "failed" : finished.message,
                tun_advice());
  }
  Carrier carrier;
  carrier.pid_ = static_cast<pid_t>(std::strtol(finished.output.c_str(), nullptr, 10));
  if (carrier.pid_ > 0) carrier.fd_ = Fd(sys::pidfd_open(carrier.pid_));
  if (!carrier.fd_) return fail(ESRCH, "pasta: it does not say which process it is");
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
