// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vmfs {

/// From here on workers may start threads. Until then nothing is done ahead: a process that will fork must
/// have one thread. Call it after the last fork.
void allow_threads();

/// A few threads that do what may be done early, and need not be done at all. They are started when there is
/// something to do, and let signals be the business of others. Safe for concurrent use by multiple threads.
class Workers {
 public:
  using Task = std::function<void()>;  ///< throws nothing

  /// At most as many threads as there are processors, and no more than this.
  static constexpr unsigned max_threads = 4;

  Workers() = default;
  /// Drops what nobody has begun, and waits for what somebody has.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Whether there are threads to do anything.
  [[nodiscard]] bool ready();

  /// Does a task soon, in the order given; drops it where there are too many of them, or no threads.
  void submit(Task task);

 private:
  void start();
  void work();

  std::once_flag started_;
  std::mutex mutex_;  ///< guards the two below
  std::deque<Task> tasks_;
  bool ending_ = false;
  std::condition_variable changed_;
  std::vector<std::jthread> threads_;  ///< last: they use all of the above
};

}  // namespace vmfs
