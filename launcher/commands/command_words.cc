// SPDX-License-Identifier: MIT
#include "launcher/commands/command_words.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/report.h"

namespace vmfs {
namespace {

constexpr int exit_usage = 2;

// What follows the image is the container's command, options and all; a "--" before it is ours. Errors:
// EINVAL for what looks like an option and is none of ours.
Result<std::vector<std::string>> command_of(const CommandLine& line) {
  auto words = line.rest();
  if (!words.empty() && words.front() == command_separator) {
    words.erase(words.begin());
  } else if (!words.empty() && words.front().starts_with('-')) {
    return fail(EINVAL, "{}: unknown option; a command of this name goes behind --", words.front());
  }
  std::ranges::replace(words, command_separator, "--");
  return words;
}

}  // namespace

Result<int> run_command(const CommandLine& line, std::vector<std::string>& command,
                        const std::function<Result<int>()>& run) {
  auto words = command_of(line);
  if (!words) {
    fmt::print(stderr, "vmfs: {}\n", words.error().what);
    return exit_usage;
  }
  command = *std::move(words);
  const auto status = run();
  if (status) return *status;
  fmt::print(stderr, "vmfs: {}\n", status.error().what);
  return exit_own_failure;
}

Environment environment_of_caller() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (const auto equals = text.find('='); equals != std::string::npos) {
      environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  return environment;
}

Result<std::vector<std::string>> read_environment_files(const std::vector<std::string>& paths) {
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    std::ifstream file(path);
    if (!file) return fail(errno, "--env-file {}: {}", path, describe_errno(errno));
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

}  // namespace vmfs
