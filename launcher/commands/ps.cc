// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "formats/text.h"
#include "launcher/columns.h"
#include "launcher/commands/commands.h"
#include "launcher/container/registry.h"
#include "launcher/image_options.h"

namespace vmfs {
namespace {

using nlohmann::json;
using Status = ContainerState::Status;

struct PsCommand {
  bool all = false;
  bool quiet = false;
  bool as_json = false;
};

std::string ago(std::int64_t time) {
  const std::int64_t seconds = std::max<std::int64_t>(std::time(nullptr) - time, 0);
  constexpr std::pair<std::int64_t, const char*> units[] = {
      {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
  for (const auto& [length, unit] : units) {
    const std::int64_t count = seconds / length;
    if (count > 0) return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  }
  return "0 seconds";
}

std::string describe(const ContainerState& state) {
  if (state.status == Status::exited)
    return fmt::format("Exited ({}) {} ago", state.exit_status, ago(state.ended));
  if (state.status == Status::running) return "Up " + ago(state.started);
  return "Starting";
}

std::vector<std::string> to_row(const ContainerState& state) {
  std::string command = printable(fmt::format("{}", fmt::join(state.command, " ")));
  constexpr std::size_t widest = 30;
  if (command.size() > widest) command = command.substr(0, widest - 3) + "...";
  return {state.name,      printable(state.image),
          command,         ago(state.created) + " ago",
          describe(state), state.status == Status::running ? std::to_string(state.pid) : ""};
}

json to_json(const ContainerState& state) {
  json out = {{"name", state.name},
              {"image", state.image},
              {"command", state.command},
              {"created", state.created},
              {"status", to_word(state.status)},
              {"detached", state.detached}};
  if (state.status == Status::exited) {
    out["exit_status"] = state.exit_status;
    out["ended"] = state.ended;
  } else {
    out["pid"] = state.pid;
    out["launcher"] = state.launcher;
    out["started"] = state.started;
  }
  return out;
}

// One that ends meanwhile is not there any more.
Result<std::vector<ContainerState>> read_states(bool all) {
  const Registry registry = TRY(Registry::open());
  std::vector<ContainerState> states;
  for (const std::string& name : TRY(registry.list())) {
    const auto folder = registry.find(name);
    auto state = folder ? folder->read() : std::unexpected(folder.error());
    if (!state) {
      if (state.error().code == EBADMSG) print_warning(state.error().what);
    } else if (all || state->status != Status::exited) {
      states.push_back(*std::move(state));
    }
  }
  std::ranges::sort(states, {},
                    [](const ContainerState& state) { return std::pair(-state.created, state.name); });
  return states;
}

Result<int> ps(const PsCommand& command) {
  const auto states = TRY(read_states(command.all));
  if (command.as_json) {
    json list = json::array();
    for (const ContainerState& state : states) list.push_back(to_json(state));
    fmt::print("{}\n", list.dump(2, ' ', false, json::error_handler_t::replace));
  } else if (command.quiet) {
    for (const ContainerState& state : states) fmt::print("{}\n", state.name);
  } else {
    std::vector<std::vector<std::string>> rows = {{"NAME", "IMAGE", "COMMAND", "CREATED", "STATUS", "PID"}};
    for (const ContainerState& state : states) rows.push_back(to_row(state));
    fmt::print("{}", states.empty() ? fmt::format("{}\n", fmt::join(rows.front(), "  ")) : columns(rows));
  }
  return 0;
}

}  // namespace

Command add_ps(CommandLine line) {
  auto command = std::make_shared<PsCommand>();
  line.flag("-a,--all", command->all, "show those that have ended too");
  line.flag("-q,--quiet", command->quiet, "print names alone");
  line.flag("--json", command->as_json, "print JSON");
  return [command] { return ps(*command); };
}

}  // namespace vmfs
