// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/result.h"
#include "launcher/container/id_map.h"
#include "launcher/container/plan.h"
#include "launcher/fd.h"

namespace vmfs {

// Only version 2 of cgroups(7) lets users have groups of their own.

/// The directory of the version 2 group that a process is in, from the texts of its /proc/PID/mountinfo and
/// /proc/PID/cgroup; nothing where the machine shows none.
[[nodiscard]] std::optional<std::string> own_group(std::string_view mountinfo, std::string_view membership);

/// Whether a version 1 hierarchy has this controller, so that version 2 cannot have it.
[[nodiscard]] bool is_bound_to_version_1(std::string_view mountinfo, std::string_view controller);

/// The group that may be divided: `own`, or the one above where `own` is merely the leaf into which we have
/// put the processes of that one.
[[nodiscard]] std::string group_to_divide(const std::string& own);

/// Whether this process may make groups in a group's directory, and move processes of that group into them.
[[nodiscard]] bool can_divide(const std::string& group);

/// One file of a group, what is written to it, and what for.
struct GroupSetting {
  std::string controller;
  std::string file;
  std::string value;
  std::string option;  ///< that wants it, as it is spelled; empty: it is no failure where this file is absent
  friend bool operator==(const GroupSetting&, const GroupSetting&) = default;
};

/// What limits mean: cgroups(7) and Documentation/admin-guide/cgroup-v2.rst.
[[nodiscard]] std::vector<GroupSetting> settings_of(const Limits& limits);

/// What is said of a limit where the group `parent` has these controllers only: what is missing, what to do.
[[nodiscard]] Error missing_controller(const GroupSetting& setting, const std::string& parent,
                                       const std::vector<std::string>& there, std::string_view mountinfo);

/// Whether a plan's container needs a group: it has limits, or an init that makes groups itself.
[[nodiscard]] bool wants_group(const Limits& limits, bool boot);

/// Puts the calling process into the group whose cgroup.procs this is, opened for writing by somebody who
/// may. Errors: of write(2); EACCES where the process comes from too far away: cgroups(7) wants a common
/// group above that is the user's.
[[nodiscard]] Result<void> enter_group(const Fd& processes);

/// The group of a container. Nothing is limited by the outer of its two directories where the container could
/// lift the limit; in the inner one it makes groups as it likes.
class Group {
 public:
  /// No group, because of this.
  explicit Group(Error why) : why_(std::move(why)) {}
  Group() : Group(Error{.code = 0, .what = {}}) {}

  /// A new group below the caller's own, with the limits, for the ids of the container. What earlier
  /// containers left there goes. Errors: EACCES and the like where the caller may not divide its group,
  /// EOPNOTSUPP where a limit needs a controller that it has not, all with what to do.
  [[nodiscard]] static Result<Group> make(const Limits& limits, const IdMaps& maps);

  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(processes_); }
  [[nodiscard]] const Error& why_none() const { return why_; }

  /// Puts the calling process into the group, whatever user it has become meanwhile.
  [[nodiscard]] Result<void> enter() const;

  /// The way into it for others, see enter_group(): to where its first process lives by now, as an init that
  /// makes groups leaves the uppermost one empty.
  [[nodiscard]] Fd entrance(pid_t first) const;

  /// Removes the group; call it once nothing lives in it. Works wherever the root directory is.
  void remove();

 private:
  [[nodiscard]] Result<void> fill(const Limits& limits, const IdMaps& maps, const std::string& path);

  Error why_;
  Fd parent_;     ///< the directory above
  Fd folder_;     ///< the outer directory, locked as long as this or a copy of it in a child lives
  Fd processes_;  ///< cgroup.procs of the inner one
  std::string name_;
};

}  // namespace vmfs
