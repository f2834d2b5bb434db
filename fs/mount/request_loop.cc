// SPDX-License-Identifier: MIT
#include "fs/mount/request_loop.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "formats/long_work.h"
#include "fs/mount/fuse.h"

namespace vmfs {
namespace {

using namespace std::chrono_literals;

/// Wakes threads out of read(2), and the main thread at the end. Nobody else's: by default it is ignored.
constexpr int wake_up = SIGURG;

/// How often threads are woken that have to end: one may just have been about to wait.
constexpr auto wake_interval = 2ms;

bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, wake_up);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(signal)) ::sigaddset(&set, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Without SA_RESTART: it is there to interrupt.
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigaction(wake_up, &action, nullptr);
  return set;
}

void let_wake_up() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, wake_up);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

/// What a thread reads requests into; libfuse allocates it.
struct Buffer : fuse_buf {
  Buffer() : fuse_buf{} {}
  ~Buffer() { std::free(mem); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

}  // namespace

RequestLoop::RequestLoop(fuse_session* session, unsigned max_threads)
    : session_(session), max_threads_(max_threads), main_(::pthread_self()), signals_(block_signals()) {}

Result<RequestLoop::End> RequestLoop::run() {
  {
    const std::lock_guard lock(mutex_);
    if (const int code = start_thread(); code != 0)
      return fail(code, "cannot start a thread: {}", std::generic_category().message(code));
  }
  int signal = 0;
  do {
    signal = ::sigwaitinfo(&signals_, nullptr);
  } while (signal < 0 || (signal == wake_up && !ended_));
  join_threads();
  if (error_ != 0) {
    return fail(error_, "the connection to the kernel broke: {}", std::generic_category().message(error_));
  }
  return signal == wake_up ? End::unmounted : End::signalled;
}

/// Called with the lock held.
int RequestLoop::start_thread() {
  pthread_t thread{};
  const int code = ::pthread_create(
      &thread, nullptr,
      [](void* self) -> void* {
        static_cast<RequestLoop*>(self)->work();
        return nullptr;
      },
      this);
  if (code != 0) return code;
  threads_.push_back(thread);
  ++running_;
  return 0;
}

void RequestLoop::work() {
  let_wake_up();
  Buffer buffer;
  while (wait_for_turn()) {
    bool mine = true;
    while (mine && !ended_) {
      busy_poll_.wait(::fuse_session_fd(session_));
      const int size = ::fuse_session_receive_buf(session_, &buffer);
      if (size == -EINTR || size == -EAGAIN) continue;
      if (size <= 0) {
        end(-size);
        break;
      }
      busy_poll_.arrived();
      mine = answer(buffer);
    }
  }
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

struct RequestLoop::Turn {
  RequestLoop& loop;
  bool passed = false;

  static void pass(void* self) {
    Turn& turn = *static_cast<Turn*>(self);
    turn.passed = true;
    turn.loop.pass_turn();
  }
};

/// Whether the turn is this thread's afterwards.
bool RequestLoop::answer(const fuse_buf& request) {
  Turn turn{.loop = *this};
  const BeforeLongWork notice(Turn::pass, &turn);
  ::fuse_session_process_buf(session_, &request);
  return !turn.passed || take_turn();
}

bool RequestLoop::wait_for_turn() {
  std::unique_lock lock(mutex_);
  ++idle_;
  changed_.wait(lock, [&] { return ended_ || !turn_taken_; });
  --idle_;
  if (ended_) return false;
  turn_taken_ = true;
  return true;
}

bool RequestLoop::take_turn() {
  const std::lock_guard lock(mutex_);
  return !std::exchange(turn_taken_, true);
}

void RequestLoop::pass_turn() {
  const std::lock_guard lock(mutex_);
  turn_taken_ = false;
  if (idle_ > 0) {
    changed_.notify_one();
  } else if (running_ < max_threads_ && !ended_) {
    // Where it cannot be started, the first that has answered goes on.
    (void)start_thread();
  }
}

void RequestLoop::end(int code) {
  const std::lock_guard lock(mutex_);
  if (code != 0 && error_ == 0) error_ = code;
  ended_ = true;
  ::pthread_kill(main_, wake_up);
}

void RequestLoop::join_threads() {
  {
    std::unique_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    while (!changed_.wait_for(lock, wake_interval, [&] { return running_ == 0; })) {
      for (const pthread_t thread : threads_) ::pthread_kill(thread, wake_up);
    }
  }
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
}

}  // namespace vmfs
