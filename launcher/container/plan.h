// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/result.h"
#include "launcher/container/capabilities.h"

namespace vmfs {

/// The options of `vmfs run` as they were written.
struct RunOptions {
  std::string image = {};
  std::vector<std::string> command = {};
  std::string name = {};
  std::string overlay = {};
  std::string user = "0";
  std::string workdir = {};
  std::string hostname = {};
  std::string entrypoint = {};
  std::vector<std::string> environment = {};        ///< -e
  std::vector<std::string> environment_files = {};  ///< the texts of --env-file
  std::vector<std::string> volumes = {};            ///< -v
  std::vector<std::string> memory_folders = {};     ///< --tmpfs
  std::vector<std::string> added_capabilities = {};
  std::vector<std::string> dropped_capabilities = {};
  std::vector<std::string> security = {};
  std::string network = {};                   ///< --network
  std::vector<std::string> ports = {};        ///< -p
  std::string memory = {};                    ///< -m
  std::string processors = {};                ///< --cpus
  std::string processes = {};                 ///< --pids-limit
  std::string stop_signal = {};               ///< --stop-signal
  std::optional<unsigned> stop_timeout = {};  ///< --stop-timeout, in seconds
  std::string detach_keys = "ctrl-p,ctrl-q";
  bool detach = false;
  bool remove = false;
  bool interactive = false;
  bool terminal = false;
  bool read_only = false;
  bool init = true;
  bool boot = false;
};

/// What the caller's surroundings contribute to a plan.
struct Caller {
  std::string directory;  ///< where relative paths start
  std::map<std::string, std::string> environment;
  std::string resolver;          ///< the text of /etc/resolv.conf
  std::string systemd_resolver;  ///< what systemd-resolved asks, in the same form
  bool can_carry = false;        ///< pasta(1) is installed
};

/// A directory or file of the machine that the container shares.
struct SharedPath {
  std::string source;       ///< absolute
  std::string destination;  ///< absolute, inside
  bool read_only = false;
  friend bool operator==(const SharedPath&, const SharedPath&) = default;
};

/// A directory in memory.
struct MemoryFolder {
  std::string destination;                                      ///< absolute, inside
  std::vector<std::pair<std::string, std::string>> parameters;  ///< of tmpfs(5)
  std::uint64_t attributes = 0;                                 ///< MOUNT_ATTR_*
  friend bool operator==(const MemoryFolder&, const MemoryFolder&) = default;
};

/// What the container's processes may do.
struct Privileges {
  Capabilities capabilities = default_capabilities();  ///< of root, and the most anybody can get
  Capabilities ambient;                                ///< asked for by name, so of other users too
  bool no_new_privileges = false;
  bool seccomp = true;  ///< the default filter, else none
  bool masks = true;    ///< cover what the kernel shows of the machine in /proc and /sys
};

/// What of the machine a container can use up; zero: as much as there is.
struct Limits {
  std::uint64_t memory = 0;           ///< bytes
  std::uint64_t cpu_thousandths = 0;  ///< of the time of one processor
  std::uint64_t processes = 0;
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// Where a container has the machine's own resolver, if that has no other address.
constexpr const char* dns_forward_address = "169.254.1.1";

/// What a container reaches, and what reaches it.
struct Network {
  enum class Kind {
    none,   ///< itself alone
    pasta,  ///< out through pasta(1), in where ports say so
    host,   ///< the machine's own
  };
  Kind kind = Kind::none;
  bool required = false;         ///< asked for: no container without it
  std::vector<std::string> tcp;  ///< in pasta's words: "[ADDRESS/]OUTSIDE:INSIDE"
  std::vector<std::string> udp;
  std::string resolver;  ///< the container's resolv.conf
};

/// A container, described: everything that the steps which start it have to know. No step looks at options.
struct Plan {
  std::string image;                               ///< absolute path
  std::string name;                                ///< of the container; empty: to be made up
  std::vector<std::string> command;                ///< empty: the shell of the user
  std::map<std::string, std::string> environment;  ///< without HOME, unless it was asked for
  std::string user;                                ///< NAME|UID[:GROUP|GID], of the image
  std::string workdir;                             ///< absolute
  std::string hostname;                            ///< empty: the image's own
  std::string overlay;  ///< absolute path of the folder that keeps changes; empty: they are thrown away
  std::vector<SharedPath> volumes;
  std::vector<MemoryFolder> memory_folders;
  Privileges privileges;
  Network network;
  Limits limits;
  int stop_signal = SIGTERM;              ///< asks the container to end
  bool init_chooses_signal = false;       ///< that is a guess: an init of another kind wants its own
  std::chrono::seconds stop_timeout{10};  ///< from then on it is killed
  std::string detach_keys;                ///< the bytes that leave it alone; empty: none
  bool boot = false;         ///< the image's own init is PID 1, with the command as its arguments
  bool detach = false;       ///< it goes on in the background at once
  bool remove = false;       ///< then nothing of it stays when it has ended
  bool interactive = false;  ///< the container reads our standard input
  bool terminal = false;     ///< its standard streams are a terminal of its own
  bool read_only = false;    ///< nothing in the root may change
  bool init = true;          ///< our init is PID 1, not the command itself
};

/// Whether the container's standard streams are a terminal: an init has one as its console in any case.
[[nodiscard]] inline bool has_terminal(const Plan& plan) {
  return plan.terminal || plan.boot;
}

/// Turns options into a plan. Pure. Errors: EINVAL with the option at fault and what is wanted.
[[nodiscard]] Result<Plan> make_plan(const RunOptions& options, const Caller& caller);

/// "SRC:DST[:OPTIONS]"; a relative SRC starts at `directory`.
[[nodiscard]] Result<SharedPath> parse_shared_path(const std::string& text, const std::string& directory);

/// "DST[:OPTIONS]", nosuid, nodev and noexec unless the options say otherwise.
[[nodiscard]] Result<MemoryFolder> parse_memory_folder(const std::string& text);

/// The network that --network and -p ask for. Errors: EINVAL; ENOENT where pasta is needed and not there.
[[nodiscard]] Result<Network> parse_network(const RunOptions& options, const Caller& caller);

/// The limits that -m, --cpus and --pids-limit set, in podman's units.
[[nodiscard]] Result<Limits> parse_limits(const RunOptions& options);

/// The privileges that --cap-add, --cap-drop and --security-opt leave.
[[nodiscard]] Result<Privileges> parse_privileges(const RunOptions& options);

}  // namespace vmfs
