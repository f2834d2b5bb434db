// SPDX-License-Identifier: MIT
#include "launcher/commands/each_container.h"

#include <cstdio>

namespace vmfs {

Result<int> for_each_container(const std::vector<std::string>& names,
                               const std::function<Result<void>(const std::string&)>& action) {
  int status = 0;
  for (const std::string& name : names) {
    if (const auto done = action(name); done) {
      fmt::print("{}\n", name);
      std::fflush(stdout);  // in order with the messages
    } else {
      fmt::print(stderr, "vmfs: {}\n", done.error().what);
      status = 1;
    }
  }
  return status;
}

}  // namespace vmfs
