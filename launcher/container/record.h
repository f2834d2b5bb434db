// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "formats/result.h"
#include "launcher/container/control.h"
#include "launcher/container/log.h"
#include "launcher/container/plan.h"
#include "launcher/container/registry.h"

namespace vmfs {

/// A container's entry in the registry, as its launcher keeps it.
class Record {
 public:
  /// There is none: everything below does nothing.
  Record() = default;

  /// Makes the entry. Whatever process is forked from now on keeps it alive. `groups`, `grouped`:
  /// see make_state(). Errors: EEXIST for a name that is taken.
  [[nodiscard]] static Result<Record> make(const Plan& plan, bool groups, bool grouped);

  explicit operator bool() const { return static_cast<bool>(folder_); }
  [[nodiscard]] const std::string& name() const { return state_.name; }
  [[nodiscard]] ControlSocket& control() { return control_; }

  /// The container's program runs. `stop_signal`: what asks it to end; 0: what the plan says.
  void note_start(pid_t pid, int stop_signal);

  /// The log of what it writes from now on. Errors: of open(2).
  [[nodiscard]] Result<Log*> begin_log();

  /// It goes on in the background.
  void note_detached();

  /// It has ended: what was detached stays to be looked at, unless that was not wanted; all else goes.
  void note_end(int status);

 private:
  void write() const;

  std::optional<Registry> registry_;
  ContainerFolder folder_;
  ContainerState state_;
  ControlSocket control_;
  std::optional<Log> log_;
};

}  // namespace vmfs
