// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "formats/result.h"
#include "launcher/container/descriptors.h"
#include "launcher/container/poller.h"
#include "launcher/fd.h"

namespace vmfs {

// The socket `control` in a container's folder. Its launcher answers there, to its user and to root:
//   "join"    "ok" with the container's namespaces, see namespaces.h, and the way into its cgroup, if it
//             has one, see cgroup.h
//   "attach"  with three descriptors, which become its standard streams: "ok" or "busy"; later "left" when
//             keys said so
//   "size"    the terminal among these has another size now; no answer
// Whoever is connected when the container ends gets "ended STATUS", then the end of the connection.

/// The launcher's side.
class ControlSocket {
 public:
  ControlSocket() = default;

  /// Makes the socket in a container's folder. Errors: of bind(2).
  [[nodiscard]] static Result<ControlSocket> open(const Fd& folder);

  /// Answers whoever asks, with `answer`, which gets the socket of one asker and what that said.
  void watch(Poller& poller, std::function<void(const Fd&, Message)> answer);

  /// Tells everybody how the container has ended, and is closed.
  void end(int status);

 private:
  void accept();
  void read(std::size_t number, const std::function<void(const Fd&, Message)>& answer);

  Fd listener_;
  std::vector<Fd> askers_;
};

/// The other side: a connection to the launcher of a running container. Errors: ECONNREFUSED where it has
/// ended.
[[nodiscard]] Result<Fd> connect_control(const Fd& folder);

/// The status that "ended STATUS" tells; below 0: that is no such message.
[[nodiscard]] int ended_status(const Message& message);

}  // namespace vmfs
