// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "launcher/files/accounts.h"
#include "launcher/files/directory.h"

namespace vmfs {

/// A file that an expression is asked about, and what came of it.
struct FindVisit {
  const WalkEntry& entry;
  const std::function<void(const std::string& text)>& print;
  bool prune = false;
  bool quit = false;  ///< the search ends here: nothing is printed any more
};

/// What an expression is made for.
struct FindContext {
  const Filesystem& filesystem;
  const Accounts& accounts;
  timespec now{};
  bool printable_only = false;  ///< what the image says goes to a terminal
};

/// A parsed expression of find(1). Its words mean what find's do; names of users and files are the guest's.
class FindExpression {
 public:
  using Predicate = std::function<bool(FindVisit&)>;

  /// Parses the words behind the paths. Errors: EINVAL with the text to print; for files that -newer names
  /// what resolve() says.
  [[nodiscard]] static Result<FindExpression> parse(std::span<const std::string> words,
                                                    const FindContext& context);

  /// Whether a word begins an expression, and is no path.
  [[nodiscard]] static bool begins_with(const std::string& word);

  /// Carries the expression out on a file that is at least `min_depth` deep.
  void apply(FindVisit& visit) const;

  [[nodiscard]] std::size_t min_depth() const { return min_depth_; }
  [[nodiscard]] std::size_t max_depth() const { return max_depth_; }

 private:
  friend class FindParser;

  Predicate predicate_;
  std::size_t min_depth_ = 0;
  std::size_t max_depth_ = SIZE_MAX;
};

}  // namespace vmfs
