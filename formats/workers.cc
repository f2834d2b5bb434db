// SPDX-License-Identifier: MIT
#include "formats/workers.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <system_error>

namespace vmfs {
namespace {

std::atomic<bool> threads_allowed{false};

constexpr std::size_t max_tasks = 256;

}  // namespace

void allow_threads() {
  threads_allowed = true;
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
}

bool Workers::ready() {
  if (!threads_allowed.load(std::memory_order_relaxed)) return false;
  std::call_once(started_, [this] { start(); });
  return !threads_.empty();
}

void Workers::submit(Task task) {
  if (!ready()) return;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() >= max_tasks) return;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void Workers::start() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, max_threads);
  try {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // A limit of threads: with those there are.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (ending_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace vmfs
