// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include <pthread.h>
#include <signal.h>

#include "formats/result.h"
#include "fs/mount/busy_poll.h"

struct fuse_buf;
struct fuse_session;

namespace vmfs {

/// Answers the requests of a mounted session on several threads, of which one at a time waits for the next
/// request. That one answers what it gets at once, so that it stays on its processor with all it needs in the
/// caches, and leaves the waiting to another only before it waits for a disk or computes for long
/// (formats/long_work.h). That several threads wait, as in libfuse's own loop, costs a quarter of the
/// requests a second even where there are several clients.
class RequestLoop {
 public:
  enum class End : std::uint8_t { unmounted, signalled };

  /// From here on SIGINT, SIGTERM and SIGHUP wait for run(), but for those that are ignored; SIGPIPE is
  /// ignored, and SIGURG is for the loop alone. Call it while there is one thread.
  RequestLoop(fuse_session* session, unsigned max_threads);
  RequestLoop(const RequestLoop&) = delete;
  RequestLoop& operator=(const RequestLoop&) = delete;

  /// Until the mount is gone or a signal arrives; no thread is left then. Call it once. Errors: EAGAIN where
  /// no thread can be started, and those of read(2) where the connection to the kernel broke.
  [[nodiscard]] Result<End> run();

 private:
  struct Turn;

  [[nodiscard]] int start_thread();
  void work();
  [[nodiscard]] bool answer(const fuse_buf& request);
  [[nodiscard]] bool wait_for_turn();
  [[nodiscard]] bool take_turn();
  void pass_turn();
  void end(int code);
  void join_threads();

  fuse_session* const session_;
  const unsigned max_threads_;
  const pthread_t main_;
  sigset_t signals_;  ///< those that end the loop
  std::atomic<bool> ended_ = false;
  BusyPoll busy_poll_;  ///< of the thread whose turn it is to wait

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  bool turn_taken_ = false;  ///< to wait for the next request
  unsigned idle_ = 0;        ///< threads that wait for the turn
  unsigned running_ = 0;
  int error_ = 0;
  std::vector<pthread_t> threads_;
};

}  // namespace vmfs
