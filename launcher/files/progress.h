// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace vmfs {

/// One line on standard error that says how far a long work is: nothing where that is no terminal, or where
/// the work ends within a second. Used by one thread.
class Progress {
 public:
  /// `total`: bytes to come; 0 where nobody knows.
  explicit Progress(std::uint64_t total = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// So many bytes, and files, more are done.
  void add(std::uint64_t bytes, std::uint64_t files = 0);

  /// Takes the line away, so that something else can be said; it comes back by itself.
  void hide();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(Clock::time_point now);

  const bool enabled_;
  const std::uint64_t total_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  std::uint64_t bytes_ = 0;
  std::uint64_t files_ = 0;
  bool shown_ = false;
};

}  // namespace vmfs
