// SPDX-License-Identifier: MIT
#include "launcher/container/process.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmfs {

namespace {

constexpr std::size_t page_size = 4096;

}  // namespace

Fd make_page(const char* name) {
  Fd file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ::ftruncate(file.get(), page_size) != 0 || ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW) != 0)
    return {};
  return file;
}

std::string read_page(const Fd& file) {
  std::string text(page_size, '\0');
  const ssize_t length = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text.substr(0, text.find('\0'));
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

int shell_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return shell_status(status);
}

Result<Running> start_program(const std::vector<std::string>& arguments) {
  Running running{.process = 0, .errors = make_page("stderr")};
  if (!running.errors) return failed_call("memfd_create", errno);
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, running.errors.get(), STDERR_FILENO);
  const int code = ::posix_spawnp(&running.process, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return failed_call(arguments[0], code);
  return running;
}

Finished await_program(const Running& running) {
  const int status = wait_for(running.process);
  return {.status = status, .message = last_line(read_page(running.errors))};
}

Result<Finished> run_program(const std::vector<std::string>& arguments) {
  const Running running = TRY(start_program(arguments));
  return await_program(running);
}

bool is_installed(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const auto end = rest.find(':');
    const std::string directory = rest.substr(0, end);
    if (!directory.empty() && ::access(fmt::format("{}/{}", directory, name).c_str(), X_OK) == 0) return true;
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return false;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return failed_call(path, errno);
  if (::write(file.get(), text.data(), text.size()) < 0) return failed_call(path, errno);
  return {};
}

std::string describe_errno(int code) {
  return std::generic_category().message(code);
}

std::unexpected<Error> failed_call(const std::string& step, int code) {
  return fail(code, "{}: {}", step, describe_errno(code));
}

}  // namespace vmfs
