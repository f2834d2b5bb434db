// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// What came over a socket of type SOCK_SEQPACKET.
struct Message {
  std::string text;  ///< empty: the other side is gone
  std::vector<Fd> descriptors;
};

constexpr std::size_t most_descriptors = 16;  ///< in one message
constexpr std::size_t longest_text = 256;     ///< of one message

/// Sends a text, not empty, and copies of descriptors. Waits for nothing. Errors: of sendmsg(2).
[[nodiscard]] Result<void> send_message(const Fd& socket, const std::string& text,
                                        std::span<const Fd> descriptors = {});

/// Waits for the next message, unless the socket does not. Errors: of recvmsg(2).
[[nodiscard]] Result<Message> receive_message(const Fd& socket);

}  // namespace vmfs
