// SPDX-License-Identifier: MIT
// A parser that was taken over: what it tries in the sandbox is refused, or kills it. In builds with a
// sanitizer, which needs more of the kernel, only what is refused there too.
#include "launcher/sandbox/sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "launcher/sandbox/filter.h"
#include "launcher/sandbox/filter_rules.h"

namespace vmfs {
namespace {

// How a process in the sandbox ended that did `what`: "signal N", or its exit status, which `what` gives.
std::string outcome(Work work, const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_sandbox({.work = work, .threads = 4})) ::_exit(99);
    ::_exit(what());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : std::to_string(WEXITSTATUS(status));
}

// The errno of a call, 0 where it succeeded.
[[maybe_unused]] int error_of(long result) {
  return result < 0 ? errno : 0;
}

[[maybe_unused]] const std::string killed = "signal " + std::to_string(SIGSYS);
[[maybe_unused]] const std::string refused = std::to_string(EACCES);

TEST(SandboxFilterTest, EachWorkLoadsWhatItsRulesSay) {
  for (const Work work : {Work::read, Work::serve, Work::copy}) {
    const auto compiled = compile_sandbox_filter(work);
    ASSERT_TRUE(compiled) << compiled.error().what;
    const auto computed = computed_sandbox_filter(work);
    ASSERT_EQ(computed.size(), compiled->size());
    EXPECT_EQ(std::memcmp(computed.data(), compiled->data(), computed.size_bytes()), 0);
    EXPECT_EQ(std::ranges::count(computed, any_process, &sock_filter::k), 1) << "tgkill(2)";
  }
}

class SandboxTest : public testing::TestWithParam<Work> {
 protected:
  void SetUp() override {
    std::string name = "/tmp/vmfs-image.XXXXXX";
    const int file = ::mkstemp(name.data());
    ASSERT_EQ(16, ::write(file, "#!/bin/sh\nexit 0\n", 16));
    image_ = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    ::close(file);
    ::unlink(name.c_str());
    ASSERT_GE(image_, 0);
  }
  void TearDown() override { ::close(image_); }

  std::string tried(const std::function<int()>& what) const { return outcome(GetParam(), what); }

  int image_ = -1;
};

INSTANTIATE_TEST_SUITE_P(All, SandboxTest, testing::Values(Work::read, Work::serve, Work::copy));

TEST_P(SandboxTest, WritesNotToTheImage) {
  EXPECT_EQ(std::to_string(EBADF), tried([this] { return error_of(::write(image_, "x", 1)); }));
}

TEST_P(SandboxTest, ReadsTheImageAndStartsThreads) {
  EXPECT_EQ("0", tried([this] {
              std::array<char, 16> bytes{};
              if (::pread(image_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
                return 1;
              int result = 1;
              std::thread([&] {
                const std::string text(std::size_t{32} << 20, 'x');
                result = text.back() == 'x' ? 0 : 1;
              }).join();
              return result;
            }));
}

#if !VMFS_HAS_SANITIZER

TEST_P(SandboxTest, ExecutesNoProgram) {
  EXPECT_EQ(killed, tried([] { return error_of(::execl("/bin/true", "true", nullptr)); }));
}

TEST_P(SandboxTest, ExecutesNoOpenProgram) {
  EXPECT_EQ(killed, tried([this] {
              char* const none[] = {nullptr};
              return error_of(::syscall(SYS_execveat, image_, "", none, none, AT_EMPTY_PATH));
            }));
}

TEST_P(SandboxTest, MakesNoSocket) {
  EXPECT_EQ(killed, tried([] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }));
}

TEST_P(SandboxTest, MountsNothing) {
  EXPECT_EQ(killed, tried([] { return error_of(::mount("none", "/nowhere", "tmpfs", 0, nullptr)); }));
}

TEST_P(SandboxTest, EntersNoNamespace) {
  EXPECT_EQ(killed, tried([] { return error_of(::unshare(CLONE_NEWUSER)); }));
}

TEST_P(SandboxTest, OpensNoFile) {
  EXPECT_EQ(refused, tried([] { return error_of(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }));
}

TEST_P(SandboxTest, MakesNoFile) {
  EXPECT_EQ(refused, tried([] { return error_of(::open("/tmp/vmfs-sandbox", O_WRONLY | O_CREAT, 0600)); }));
}

TEST_P(SandboxTest, OpensNotTheImageForWriting) {
  EXPECT_EQ(
      refused, tried([this] {
        return error_of(::open(("/proc/self/fd/" + std::to_string(image_)).c_str(), O_RDWR | O_CLOEXEC));
      }));
}

TEST_P(SandboxTest, StartsNoProcess) {
  EXPECT_EQ(killed, tried([] {
              const pid_t child = ::fork();
              if (child == 0) ::_exit(0);
              return error_of(child);
            }));
}

TEST_P(SandboxTest, TracesNoProcess) {
  EXPECT_EQ(killed, tried([] { return error_of(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)); }));
}

TEST_P(SandboxTest, SignalsNoOtherProcess) {
  const pid_t parent = ::getpid();
  EXPECT_EQ(killed, tried([&] { return error_of(::kill(parent, 0)); }));
  EXPECT_EQ(killed, tried([&] { return error_of(::syscall(SYS_tgkill, parent, parent, 0)); }));
}

TEST_P(SandboxTest, MakesNoMemoryExecutable) {
  EXPECT_EQ(killed, tried([] {
              void* const page =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return page == MAP_FAILED ? errno : 0;
            }));
}

TEST_P(SandboxTest, TypesNothingIntoATerminal) {
  EXPECT_EQ(killed, tried([] { return error_of(::ioctl(STDIN_FILENO, TIOCSTI, "x")); }));
}

TEST_P(SandboxTest, GetsNoRightsBack) {
  EXPECT_EQ(killed, tried([] { return error_of(::setuid(0)); }));
  EXPECT_EQ(killed, tried([] { return error_of(::prctl(PR_SET_DUMPABLE, 1)); }));
}

TEST(SandboxOfReadersTest, SendsNothing) {
  int ends[2];
  ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
  EXPECT_EQ(killed, outcome(Work::read, [&] { return error_of(::send(ends[0], "x", 1, 0)); }));
  ::close(ends[0]);
  ::close(ends[1]);
}

// No more than this of memory, however the program was led to ask for it.
TEST(SandboxOfReadersTest, TakesNoMemoryWithoutEnd) {
  EXPECT_EQ("0", outcome(Work::read, [] {
              void* const room = ::mmap(nullptr, std::size_t{16} << 30, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
              return room == MAP_FAILED && errno == ENOMEM ? 0 : 1;
            }));
}

// Work::copy has openat(2): it is Landlock that says where. A kernel without it has nothing to say.
TEST(SandboxOfCopiesTest, MakesFilesInItsDirectoryAlone) {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
    ASSERT_EQ(nullptr, std::getenv("CI")) << "may not be skipped here: this kernel has no Landlock";
    GTEST_SKIP() << "this kernel has no Landlock";
  }
  std::array<char, 32> place{"/tmp/vmfs-sandbox.XXXXXX"};
  ASSERT_NE(nullptr, ::mkdtemp(place.data()));
  const int directory = ::open(place.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_sandbox({.work = Work::copy, .threads = 1, .directories = {directory}})) ::_exit(99);
    if (::openat(directory, "inside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0) ::_exit(1);
    if (::openat(directory, "../outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
      ::_exit(2);
    ::_exit(::mkdirat(directory, "../outside", 0700) < 0 && errno == EACCES ? 0 : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::unlinkat(directory, "inside", 0);
  ::close(directory);
  ::rmdir(place.data());
  EXPECT_EQ(0, status);
}

#endif

}  // namespace
}  // namespace vmfs
