// SPDX-License-Identifier: MIT
#pragma once

#include "formats/result.h"
#include "launcher/container/plan.h"
#include "launcher/fd.h"

namespace vmfs {

/// The process that carries a container's packets. Ends with its owner, and with the process that started it,
/// however that ends.
class Carrier {
 public:
  Carrier() = default;
  ~Carrier() { stop(); }
  Carrier(Carrier&& other) noexcept;
  Carrier& operator=(Carrier&& other) noexcept;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  /// Starts pasta(1) for the network namespace of a process; when this returns, the network is up.
  /// Errors: what pasta says.
  [[nodiscard]] static Result<Carrier> start(const Network& network, pid_t process);

  /// Its process id; 0 where there is none.
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Readable once it has ended; below 0 where there is none.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Ends it, if it has not ended, and buries it.
  void stop();

 private:
  pid_t pid_ = 0;
  Fd fd_;
  Fd lifeline_;  ///< held open by this process alone
};

/// Whether pasta(1) is there to be started.
[[nodiscard]] bool can_carry();

/// In the container's network namespace: its loopback interface works.
[[nodiscard]] Result<void> start_loopback();

}  // namespace vmfs
