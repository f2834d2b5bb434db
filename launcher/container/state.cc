// SPDX-License-Identifier: MIT
#include "launcher/container/state.h"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <exception>

#include <nlohmann/json.hpp>

#include "launcher/container/names.h"

namespace vmfs {
namespace {

using nlohmann::json;
using Status = ContainerState::Status;

constexpr int version = 1;

constexpr Status statuses[] = {Status::starting, Status::running, Status::exited};

json to_json(const Privileges& privileges) {
  return {{"capabilities", privileges.capabilities},
          {"ambient", privileges.ambient},
          {"no_new_privileges", privileges.no_new_privileges},
          {"seccomp", privileges.seccomp},
          {"masks", privileges.masks}};
}

Privileges to_privileges(const json& object) {
  return {.capabilities = object.at("capabilities").get<Capabilities>(),
          .ambient = object.at("ambient").get<Capabilities>(),
          .no_new_privileges = object.at("no_new_privileges").get<bool>(),
          .seccomp = object.at("seccomp").get<bool>(),
          .masks = object.at("masks").get<bool>()};
}

Status to_status(const std::string& word) {
  for (const Status status : statuses) {
    if (word == to_word(status)) return status;
  }
  throw std::invalid_argument("status: " + word);
}

template <class T>
void get(const json& object, const char* name, T& value) {
  value = object.at(name).get<T>();
}

ContainerState to_state(const json& object) {
  ContainerState state;
  if (object.at("version") != version) throw std::invalid_argument("another version's");
  get(object, "name", state.name);
  get(object, "image", state.image);
  get(object, "command", state.command);
  get(object, "created", state.created);
  get(object, "started", state.started);
  get(object, "ended", state.ended);
  state.status = to_status(object.at("status").get<std::string>());
  get(object, "exit_status", state.exit_status);
  get(object, "launcher", state.launcher);
  get(object, "pid", state.pid);
  get(object, "detached", state.detached);
  get(object, "remove", state.remove);
  get(object, "terminal", state.terminal);
  get(object, "boot", state.boot);
  get(object, "grouped", state.grouped);
  get(object, "limited", state.limited);
  get(object, "stop_signal", state.stop_signal);
  get(object, "stop_timeout", state.stop_timeout);
  get(object, "environment", state.environment);
  get(object, "user", state.user);
  get(object, "workdir", state.workdir);
  state.privileges = to_privileges(object.at("privileges"));
  get(object, "set_groups", state.set_groups);
  if (!is_container_name(state.name)) throw std::invalid_argument("name");
  if (state.launcher <= 0 || state.pid < 0) throw std::invalid_argument("process ids");
  return state;
}

}  // namespace

const char* to_word(Status status) {
  switch (status) {
    case Status::starting:
      return "starting";
    case Status::running:
      return "running";
    case Status::exited:
      break;
  }
  return "exited";
}

std::string to_text(const ContainerState& state) {
  const json object = {{"version", version},
                       {"name", state.name},
                       {"image", state.image},
                       {"command", state.command},
                       {"created", state.created},
                       {"started", state.started},
                       {"ended", state.ended},
                       {"status", to_word(state.status)},
                       {"exit_status", state.exit_status},
                       {"launcher", state.launcher},
                       {"pid", state.pid},
                       {"detached", state.detached},
                       {"remove", state.remove},
                       {"terminal", state.terminal},
                       {"boot", state.boot},
                       {"grouped", state.grouped},
                       {"limited", state.limited},
                       {"stop_signal", state.stop_signal},
                       {"stop_timeout", state.stop_timeout},
                       {"environment", state.environment},
                       {"user", state.user},
                       {"workdir", state.workdir},
                       {"privileges", to_json(state.privileges)},
                       {"set_groups", state.set_groups}};
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<ContainerState> parse_state(std::string_view text) {
  try {
    return to_state(json::parse(text));
  } catch (const std::exception& error) {
    return fail(EBADMSG, "not the state of a container: {}", error.what());
  }
}

ContainerState make_state(const Plan& plan, bool groups, bool grouped) {
  ContainerState state;
  state.name = plan.name;
  state.image = plan.image;
  state.command = plan.command;
  state.created = std::time(nullptr);
  state.launcher = ::getpid();
  state.remove = plan.remove;
  state.terminal = plan.terminal;
  state.boot = plan.boot;
  state.grouped = grouped;
  state.limited = plan.limits != Limits{};
  state.stop_signal = plan.stop_signal;
  state.stop_timeout = static_cast<unsigned>(plan.stop_timeout.count());
  state.environment = plan.environment;
  state.user = plan.user;
  state.workdir = plan.workdir;
  state.privileges = plan.privileges;
  state.set_groups = groups;
  return state;
}

}  // namespace vmfs
