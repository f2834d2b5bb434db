// SPDX-License-Identifier: MIT
#include "launcher/container/control.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr std::size_t most_askers = 64;
constexpr std::string_view ended_word = "ended ";

// The folder's path may be longer than an address can be.
sockaddr_un address_in(const Fd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/control", folder.get());
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

bool may_ask(const Fd& asker) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(asker.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

Result<ControlSocket> ControlSocket::open(const Fd& folder) {
  ControlSocket control;
  control.listener_ = Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_in(folder);
  if (!control.listener_ || ::bind(control.listener_.get(), generic(address), sizeof address) != 0 ||
      ::listen(control.listener_.get(), SOMAXCONN) != 0) {
    return failed_call("control socket", errno);
  }
  return control;
}

void ControlSocket::watch(Poller& poller, std::function<void(const Fd&, Message)> answer) {
  std::erase_if(askers_, [](const Fd& asker) { return !asker; });
  for (std::size_t i = 0; i < askers_.size(); ++i) {
    poller.add(askers_[i].get(), POLLIN, [this, i, answer](short) { read(i, answer); });
  }
  if (askers_.size() < most_askers) poller.add(listener_.get(), POLLIN, [this](short) { accept(); });
}

void ControlSocket::accept() {
  Fd asker(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (asker && may_ask(asker)) askers_.push_back(std::move(asker));
}

void ControlSocket::read(std::size_t number, const std::function<void(const Fd&, Message)>& answer) {
  auto message = receive_message(askers_[number]);
  if (!message && (message.error().code == EAGAIN || message.error().code == EINTR)) return;
  const bool gone = !message || message->text.empty();
  answer(askers_[number], gone ? Message{} : *std::move(message));
  if (gone) askers_[number].reset();
}

void ControlSocket::end(int status) {
  for (const Fd& asker : askers_) {
    // Who does not read loses it.
    if (asker) (void)send_message(asker, fmt::format("{}{}", ended_word, status));
  }
  askers_.clear();
  listener_.reset();
}

Result<Fd> connect_control(const Fd& folder) {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_in(folder);
  if (!socket || ::connect(socket.get(), generic(address), sizeof address) != 0)
    return failed_call("control socket", errno);
  return socket;
}

int ended_status(const Message& message) {
  if (!message.text.starts_with(ended_word)) return -1;
  return std::atoi(message.text.c_str() + ended_word.size());  // NOLINT(cert-err34-c): ours
}

}  // namespace vmfs
