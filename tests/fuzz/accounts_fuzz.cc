// SPDX-License-Identifier: MIT
// Whom the image's passwd(5) and group(5) name: "NAME[:GROUP]", a zero byte, the one file, a zero byte, the
// other.
#include <cerrno>
#include <cstdint>
#include <cstdlib>

// One file of a library that is not built for this.
#include "launcher/container/passwd.cc"

namespace {

std::string_view take(std::string_view& text) {
  const std::size_t length = text.find('\0');
  const std::string_view part = text.substr(0, length);
  text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
  return part;
}

void check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view wanted = take(text);
  const std::string_view passwd = take(text);
  const auto user = vmfs::find_user(wanted, passwd, text);
  if (!user) {
    check(user.error().code == ENOENT || user.error().code == EINVAL);
    return 0;
  }
  // setresuid(2) takes this for "leave it".
  check(user->uid != UINT32_MAX && user->gid != UINT32_MAX);
  check(user->home.starts_with('/') && user->shell.starts_with('/'));
  for (const auto group : user->groups) check(group != UINT32_MAX);
  return 0;
}
