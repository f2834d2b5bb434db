// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "formats/result.h"

namespace vmfs {

/// The bytes that a list of keys sends, as podman writes it: "ctrl-p,ctrl-q", "ctrl-@,x"; the empty list
/// sends none. Errors: EINVAL with what is wanted.
[[nodiscard]] Result<std::string> parse_detach_keys(const std::string& text);

/// Finds the keys that leave a container alone in what is typed.
class DetachKeys {
 public:
  DetachKeys() = default;
  explicit DetachKeys(std::string keys) : keys_(std::move(keys)) {}

  /// Takes what was typed, and leaves in it what goes to the container: without the keys, and without their
  /// beginning, which waits for what comes next. True once all keys came; what was typed after them is lost.
  [[nodiscard]] bool filter(std::string& typed);

 private:
  std::string keys_;
  std::size_t matched_ = 0;  ///< of keys_
};

}  // namespace vmfs
