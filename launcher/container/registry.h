// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/result.h"
#include "launcher/container/state.h"
#include "launcher/fd.h"

namespace vmfs {

// Each container of this user has a folder, named as it is, in a folder of the user's alone:
//   state.json  ContainerState
//   lock        locked as long as a process of ours serves the container: a state that does not say `exited`
//               and whose lock is free is what a killed container left, and goes when somebody comes by
//   control     socket, see control.h
//   log, log.1  see log.h

/// The folder of one container.
class ContainerFolder {
 public:
  ContainerFolder() = default;

  [[nodiscard]] const Fd& folder() const { return folder_; }
  explicit operator bool() const { return static_cast<bool>(folder_); }

  /// Replaces the state at once. Errors: of write(2) and rename(2).
  [[nodiscard]] Result<void> write(const ContainerState& state) const;

  /// Errors: EBADMSG for a state that nobody can read.
  [[nodiscard]] Result<ContainerState> read() const;

  /// Whether a process of the container holds its lock.
  [[nodiscard]] bool is_locked() const;

 private:
  friend class Registry;

  std::string path_;  // for messages
  Fd folder_;
  Fd lock_;
};

/// All containers of this user.
class Registry {
 public:
  /// In $XDG_RUNTIME_DIR, in /run/user/UID, else (root) in /run or (others) in a folder of /tmp for the user
  /// alone; those count that exist and are the user's. Errors: EPERM where somebody else has made that
  /// folder.
  [[nodiscard]] static Result<Registry> open();

  /// Makes a container's folder, and locks it as long as the answer, or a process forked meanwhile, lives. A
  /// state without name gets one. Errors: EEXIST for a name that is taken.
  [[nodiscard]] Result<ContainerFolder> create(ContainerState& state) const;

  /// Errors: ENOENT where no container has this name.
  [[nodiscard]] Result<ContainerFolder> find(const std::string& name) const;

  /// The names of all there are, in order. What killed containers left is taken away.
  [[nodiscard]] Result<std::vector<std::string>> list() const;

  /// Takes a container's folder away. Does not end it.
  [[nodiscard]] Result<void> remove(const std::string& name) const;

 private:
  [[nodiscard]] Result<Fd> lock() const;
  [[nodiscard]] Result<ContainerFolder> make(const ContainerState& state) const;
  [[nodiscard]] Result<ContainerFolder> open_folder(const std::string& name) const;
  void remove_files(const std::string& name) const;
  [[nodiscard]] bool is_there(const std::string& name) const;

  std::string path_;
  Fd folder_;
};

}  // namespace vmfs
