// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "formats/text.h"
#include "launcher/commands/commands.h"

namespace {

struct Verb {
  const char* name;
  const char* description;
  vmfs::Command (*add)(vmfs::CommandLine);
  bool takes_command = false;  // words after the image are somebody else's
};

constexpr Verb verbs[] = {
    {"mount", "show an image as a directory", vmfs::add_mount},
    {"umount", "end a mount and wait for its server", vmfs::add_umount},
    {"run", "run a command in a container on an image", vmfs::add_run, true},
    {"ps", "list containers", vmfs::add_ps},
    {"exec", "run a command in a container that runs", vmfs::add_exec, true},
    {"attach", "look on a container in the background", vmfs::add_attach},
    {"logs", "print what a container in the background wrote", vmfs::add_logs},
    {"stop", "ask containers to end, and end them", vmfs::add_stop},
    {"kill", "send containers a signal", vmfs::add_kill},
    {"wait", "wait until containers end, print their exit statuses", vmfs::add_wait},
    {"rm", "remove containers that have ended", vmfs::add_rm},
    {"inspect", "say what an image holds", vmfs::add_inspect},
    {"ls", "list files of an image, without a mount", vmfs::add_ls},
    {"cat", "print files of an image, without a mount", vmfs::add_cat},
    {"stat", "show what there is to know of files of an image", vmfs::add_stat},
    {"cp", "copy files out of an image", vmfs::add_cp},
    {"tar", "write files of an image as a tar archive", vmfs::add_tar},
    {"find", "find files in an image, as find(1)", vmfs::add_find},
    {"hash", "print the SHA-256 of files of an image", vmfs::add_hash},
    {"diff", "say what differs between the files of two images", vmfs::add_diff},
};

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

// CLI11 throws for --help and --version too: those print and end well.
int usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  fmt::print(stderr, "vmfs: {}\nTry `vmfs --help` or `vmfs VERB --help`.\n", error.what());
  return exit_usage;
}

// The verb that is the first word; without one, what CLI11 prints is about all of them.
std::span<const Verb> verbs_for(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  const auto* const verb = std::ranges::find_if(verbs, [&](const Verb& each) { return word == each.name; });
  if (verb == std::end(verbs)) return verbs;
  return {verb, 1};
}

// The words after the program's name, last one first, as CLI11 wants them.
std::vector<std::string> words_of(int argc, char** argv, std::span<const Verb> wanted) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (wanted.size() == 1 && wanted.front().takes_command)
    std::ranges::replace(words, "--", vmfs::command_separator);
  std::ranges::reverse(words);
  return words;
}

int run(int argc, char** argv) {
  CLI::App app{"Mount virtual machine disk images without root, kernel NBD or a helper VM.", "vmfs"};
  app.set_version_flag("--version", VMFS_VERSION);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, vmfs::Command>> commands;
  // To tell CLI11 of every verb takes longer than to mount.
  const auto wanted = verbs_for(argc, argv);
  for (const Verb& verb : wanted) {
    CLI::App* subcommand = app.add_subcommand(verb.name, verb.description);
    commands.emplace_back(subcommand, verb.add(vmfs::CommandLine(*subcommand)));
  }
  try {
    app.parse(words_of(argc, argv, wanted));
  } catch (const CLI::ParseError& error) {
    return usage(app, error);
  }
  for (const auto& [subcommand, command] : commands) {
    if (!subcommand->parsed()) continue;
    const auto status = command();
    if (status) return *status;
    std::fputs(fmt::format("vmfs: {}\n", vmfs::printable(status.error().what)).c_str(), stderr);
  }
  return exit_failed;
}

// What could not be written must not look like success.
int finish(int status) {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout) return status;
  std::fputs("vmfs: cannot write to standard output\n", stderr);
  return status == 0 ? exit_failed : status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return finish(run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vmfs: %s\n", error.what());
    return exit_failed;
  }
}
