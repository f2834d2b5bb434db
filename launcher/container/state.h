// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/container/environment.h"
#include "launcher/container/plan.h"

namespace vmfs {

/// What is written down of a container for those who ask for it by name.
struct ContainerState {
  enum class Status { starting, running, exited };

  std::string name;
  std::string image;                 ///< path
  std::vector<std::string> command;  ///< empty: the shell of the user
  std::int64_t created = 0;          ///< seconds since 1970, as all times here
  std::int64_t started = 0;          ///< 0: not yet
  std::int64_t ended = 0;            ///< 0: not yet
  Status status = Status::starting;
  int exit_status = 0;
  pid_t launcher = 0;  ///< the process that waits for the container
  pid_t pid = 0;       ///< the container's first process, a child of that; 0: not yet
  bool detached = false;
  bool remove = false;  ///< nothing of it stays when it ends
  bool terminal = false;
  bool boot = false;     ///< the first process is the image's own init
  bool grouped = false;  ///< it has a cgroup
  bool limited = false;  ///< ... with limits
  int stop_signal = 0;
  unsigned stop_timeout = 0;  ///< seconds

  // What a command gets that is executed in it later.
  Environment environment;
  std::string user;
  std::string workdir;
  Privileges privileges;
  bool set_groups = false;
};

/// "starting", "running" or "exited".
[[nodiscard]] const char* to_word(ContainerState::Status status);

/// As JSON text. What is not UTF-8 in it is replaced.
[[nodiscard]] std::string to_text(const ContainerState& state);

/// The reverse. Errors: EBADMSG with the field at fault.
[[nodiscard]] Result<ContainerState> parse_state(std::string_view text);

/// What a container of this plan is at first. `groups`: its processes may change their groups. `grouped`: it
/// has a cgroup.
[[nodiscard]] ContainerState make_state(const Plan& plan, bool groups, bool grouped);

}  // namespace vmfs
