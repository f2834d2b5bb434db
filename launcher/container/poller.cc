// SPDX-License-Identifier: MIT
#include "launcher/container/poller.h"

namespace vmfs {

void Poller::add(int fd, short events, std::function<void(short)> handle) {
  if (fd < 0) return;
  list_.push_back({.fd = fd, .events = events, .revents = 0});
  handlers_.push_back(std::move(handle));
}

bool Poller::wait(int timeout) {
  if (::poll(list_.data(), list_.size(), timeout) <= 0) return false;
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (list_[i].revents != 0) handlers_[i](list_[i].revents);
  }
  return true;
}

}  // namespace vmfs
