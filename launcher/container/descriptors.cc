// SPDX-License-Identifier: MIT
#include "launcher/container/descriptors.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

struct Envelope {
  std::array<char, longest_text> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
};

}  // namespace

Result<void> send_message(const Fd& socket, const std::string& text, std::span<const Fd> descriptors) {
  if (text.empty() || text.size() > longest_text || descriptors.size() > most_descriptors)
    return failed_call("message", EMSGSIZE);
  Envelope envelope;
  std::ranges::copy(text, envelope.text.begin());
  iovec content{.iov_base = envelope.text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t length = descriptors.size() * sizeof(int);
    header.msg_control = envelope.control.data();
    header.msg_controllen = CMSG_SPACE(length);
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(length);
    unsigned char* place = CMSG_DATA(part);
    for (const Fd& fd : descriptors) {
      const int number = fd.get();
      std::memcpy(place, &number, sizeof number);
      place += sizeof number;
    }
  }
  if (::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return failed_call("message", errno);
  return {};
}

Result<Message> receive_message(const Fd& socket) {
  Envelope envelope;
  iovec content{.iov_base = envelope.text.data(), .iov_len = envelope.text.size()};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = envelope.control.data();
  header.msg_controllen = envelope.control.size();
  ssize_t length = 0;
  while ((length = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (length < 0) return failed_call("message", errno);
  Message message;
  message.text.assign(envelope.text.data(), static_cast<std::size_t>(length));
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      message.descriptors.emplace_back(number);
    }
  }
  return message;
}

}  // namespace vmfs
