// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"

namespace vmfs {

/// `count` ids from `outside` on are seen as those from `inside` on.
struct IdRange {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};
using IdMap = std::vector<IdRange>;

/// Which ids a container has, and who may write the map down.
struct IdMaps {
  enum class Writer {
    self,    ///< one id, written by its owner, which costs setgroups(2)
    helper,  ///< newuidmap(1) and newgidmap(1), from ranges of subuid(5)
    root,    ///< whoever has CAP_SETUID here
  };
  IdMap users;
  IdMap groups;
  Writer writer = Writer::self;
  bool set_groups = false;  ///< processes may change their groups
};

/// What the choice of a map depends on.
struct IdFacts {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string user_name;  ///< of `uid`; empty where it has none
  std::string subuid;     ///< the text of /etc/subuid
  std::string subgid;     ///< ... and /etc/subgid
  std::string uid_map;    ///< the text of /proc/self/uid_map
  std::string gid_map;
  std::string setgroups;  ///< the text of /proc/self/setgroups
  bool helpers = false;   ///< newuidmap and newgidmap are installed
};

/// The ranges that subuid(5) text gives to a user, named by name or number. Malformed lines count as absent.
[[nodiscard]] std::vector<IdRange> subordinate_ranges(std::string_view text, std::string_view name,
                                                      std::uint32_t id);

/// The map of a namespace as /proc/PID/uid_map prints it. Malformed lines count as absent.
[[nodiscard]] IdMap parse_id_map(std::string_view text);

/// The lines that are written to /proc/PID/uid_map.
[[nodiscard]] std::string to_text(const IdMap& map);

/// Whether there is one user and one group only: whatever the image says belongs to them.
[[nodiscard]] bool is_alone(const IdMaps& maps);

/// The id seen inside as `id`; nothing where the map has none.
[[nodiscard]] std::optional<std::uint32_t> outside_of(const IdMap& map, std::uint32_t id);

/// An ordinary user is root inside, followed by his ranges; without ranges he is alone. Root gives root's own
/// ranges if there are any, else ids that nobody on the machine has, so that root inside is nobody outside;
/// where root lives in a namespace too small for those, the ids it has. `warn` is told of what is missing.
[[nodiscard]] IdMaps choose_id_maps(const IdFacts& facts, const Warn& warn);

/// The facts of this process and machine.
[[nodiscard]] IdFacts gather_id_facts();

/// Gives a process that has just entered a new user namespace its ids.
/// Errors: EPERM with what newuidmap(1) said, or which knob of the system forbids it.
[[nodiscard]] Result<void> write_id_maps(const IdMaps& maps, pid_t process);

}  // namespace vmfs
