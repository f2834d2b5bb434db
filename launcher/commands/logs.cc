// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <tuple>

#include <poll.h>
#include <sys/inotify.h>

#include "launcher/commands/commands.h"
#include "launcher/container/log.h"
#include "launcher/container/lookup.h"
#include "launcher/container/process.h"

namespace vmfs {
namespace {

struct LogsCommand {
  std::string name;
  bool follow = false;
};

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

// The container's folder tells of every line; its launcher, of the end.
Result<int> follow(const FoundContainer& found) {
  LogReader reader(found.folder.folder());
  const Fd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = fmt::format("/proc/self/fd/{}", found.folder.folder().get());
  if (!changes || ::inotify_add_watch(changes.get(), folder.c_str(), IN_MODIFY | IN_CREATE) < 0)
    return failed_call("inotify", errno);
  bool ended = !found.launcher;
  while (true) {
    if (!TRY(reader.read(print)) || ended) return 0;
    pollfd watched[] = {{.fd = changes.get(), .events = POLLIN, .revents = 0},
                        {.fd = found.launcher.get(), .events = POLLIN, .revents = 0}};
    ::poll(watched, 2, -1);
    ended = watched[1].revents != 0;
    char events[4096];
    while (::read(changes.get(), events, sizeof events) > 0) {
    }
  }
}

Result<int> logs(const LogsCommand& command) {
  const FoundContainer found = TRY(find_container(command.name));
  if (command.follow) return follow(found);
  std::ignore = TRY(LogReader(found.folder.folder()).read(print));
  return 0;
}

}  // namespace

Command add_logs(CommandLine line) {
  auto command = std::make_shared<LogsCommand>();
  line.argument("NAME", command->name, "container that runs or ran in the background");
  line.flag("-f,--follow", command->follow, "go on until the container ends");
  return [command] { return logs(*command); };
}

}  // namespace vmfs
