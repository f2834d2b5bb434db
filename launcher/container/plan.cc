// SPDX-License-Identifier: MIT
#include "launcher/container/plan.h"

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "launcher/container/detach_keys.h"
#include "launcher/container/environment.h"
#include "launcher/container/etc_files.h"
#include "launcher/container/names.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<Environment> make_environment(const RunOptions& options, const Caller& caller) {
  Environment environment = {{"PATH", default_path}, {"container", "vmfs"}};
  const auto term = caller.environment.find("TERM");
  if (term != caller.environment.end()) environment["TERM"] = term->second;
  if (options.terminal) environment.try_emplace("TERM", "xterm");
  TRY(add_variables(environment, options.environment_files, options.environment, caller.environment));
  return environment;
}

// A word, or several as a JSON array: as podman.
Result<std::vector<std::string>> parse_entrypoint(const std::string& text) {
  if (text.empty()) return std::vector<std::string>{};
  if (!text.starts_with('[')) return std::vector<std::string>{text};
  const auto array = nlohmann::json::parse(text, nullptr, false);
  const auto is_string = [](const nlohmann::json& word) { return word.is_string(); };
  if (!array.is_array() || !std::ranges::all_of(array, is_string)) {
    return fail(EINVAL, "--entrypoint {}: a word or a JSON array of words is wanted", text);
  }
  return array.get<std::vector<std::string>>();
}

// As long as systemd gives a service to stop.
constexpr std::chrono::seconds boot_stop_timeout{90};

void add_boot(Plan& plan, const RunOptions& options) {
  plan.boot = true;
  plan.init = false;
  // Whatever shows it is not ours to paint on.
  if (!options.terminal) plan.environment.insert_or_assign("TERM", "dumb");
}

Result<std::vector<std::string>> make_command(const RunOptions& options) {
  auto command = TRY(parse_entrypoint(options.entrypoint));
  command.insert(command.end(), options.command.begin(), options.command.end());
  if (!command.empty() && command.front().empty()) return fail(EINVAL, "the command is empty");
  return command;
}

Result<void> add_mounts(Plan& plan, const RunOptions& options, const Caller& caller) {
  std::vector<std::string> seen;
  for (const std::string& text : options.volumes) {
    plan.volumes.push_back(TRY(parse_shared_path(text, caller.directory)));
    seen.push_back(plan.volumes.back().destination);
  }
  for (const std::string& text : options.memory_folders) {
    plan.memory_folders.push_back(TRY(parse_memory_folder(text)));
    seen.push_back(plan.memory_folders.back().destination);
  }
  std::ranges::sort(seen);
  if (const auto twice = std::ranges::adjacent_find(seen); twice != seen.end()) {
    return fail(EINVAL, "{} is mounted on twice", *twice);
  }
  return {};
}

Result<void> check_boot(const RunOptions& options) {
  if (options.user != "0" && options.user != "root")
    return fail(EINVAL, "--boot: an init runs as root, not as --user {}", options.user);
  if (!options.entrypoint.empty())
    return fail(EINVAL, "--boot starts the image's init: without --entrypoint");
  return {};
}

Result<void> check(const RunOptions& options) {
  if (options.read_only && !options.overlay.empty()) {
    return fail(EINVAL, "--overlay keeps changes and --read-only forbids them: use one of them");
  }
  if (!options.hostname.empty() && !is_hostname(options.hostname)) {
    return fail(EINVAL, "--hostname {}: at most 64 letters, digits, hyphens and dots are wanted",
                options.hostname);
  }
  if (!options.workdir.empty() && !options.workdir.starts_with('/')) {
    return fail(EINVAL, "--workdir {}: an absolute path is wanted", options.workdir);
  }
  if (!options.name.empty() && !is_container_name(options.name)) {
    return fail(EINVAL,
                "--name {}: a letter or digit, then letters, digits, _ . and -, at most 64, are wanted",
                options.name);
  }
  if (options.user.empty())
    return fail(EINVAL, "--user: NAME or UID, with :GROUP or :GID after it, is wanted");
  return options.boot ? check_boot(options) : Result<void>{};
}

Result<void> add_stop(Plan& plan, const RunOptions& options) {
  if (options.boot) {
    plan.stop_signal = SIGRTMIN + 3;  // systemd(1); podman's too
    plan.stop_timeout = boot_stop_timeout;
  }
  plan.init_chooses_signal = options.boot && options.stop_signal.empty();
  if (!options.stop_signal.empty()) {
    const auto signal = parse_signal(options.stop_signal);
    if (!signal) return fail(EINVAL, "--stop-signal {}", signal.error().what);
    plan.stop_signal = *signal;
  }
  if (options.stop_timeout) plan.stop_timeout = std::chrono::seconds(*options.stop_timeout);
  return {};
}

}  // namespace

Result<Plan> make_plan(const RunOptions& options, const Caller& caller) {
  TRY(check(options));
  Plan plan;
  plan.image = absolute_path(options.image, caller.directory);
  plan.name = options.name;
  TRY(add_stop(plan, options));
  plan.detach_keys = TRY(parse_detach_keys(options.detach_keys));
  plan.detach = options.detach;
  plan.remove = options.remove;
  plan.command = TRY(make_command(options));
  plan.environment = TRY(make_environment(options, caller));
  plan.user = options.user;
  plan.workdir = options.workdir.empty() ? "/" : options.workdir;
  plan.hostname = options.hostname;
  plan.overlay = absolute_path(options.overlay, caller.directory);
  plan.network = TRY(parse_network(options, caller));
  TRY(add_mounts(plan, options, caller));
  plan.privileges = TRY(parse_privileges(options));
  plan.interactive = options.interactive;
  plan.terminal = options.terminal;
  plan.read_only = options.read_only;
  plan.init = options.init;
  plan.limits = TRY(parse_limits(options));
  if (options.boot) add_boot(plan, options);
  return plan;
}

}  // namespace vmfs
