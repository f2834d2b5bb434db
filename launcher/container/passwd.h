// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"

namespace vmfs {

/// A user of a container.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones
  std::string name;           ///< empty where the passwd file has no line for the uid
  std::string home = "/";
  std::string shell = "/bin/sh";
};

/// Finds who "NAME|UID[:GROUP|GID]" is, by the text of the image's own passwd(5) and group(5). A uid without
/// a line is a user with group 0 and home "/". Errors: ENOENT for an unknown name, EINVAL for an empty one.
[[nodiscard]] Result<User> find_user(std::string_view wanted, std::string_view passwd,
                                     std::string_view group);

}  // namespace vmfs
