// SPDX-License-Identifier: MIT
#include "fs/mount/session.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace vmfs {
namespace {

std::string escape_comma(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ',' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// The argument vector libfuse takes its mount options from.
class Arguments {
 public:
  Arguments() { add("vmfs"); }
  ~Arguments() { ::fuse_opt_free_args(&arguments_); }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  void add(const std::string& word) { ::fuse_opt_add_arg(&arguments_, word.c_str()); }
  void option(const std::string& word) { add("-o" + word); }
  fuse_args* get() { return &arguments_; }

 private:
  fuse_args arguments_ = FUSE_ARGS_INIT(0, nullptr);
};

bool has_option(const MountOptions& options, std::string_view prefix) {
  return std::ranges::any_of(options.fuse, [&](const std::string& word) { return word.starts_with(prefix); });
}

void fill(Arguments& arguments, const std::string& source, const MountOptions& options) {
  arguments.option("ro");
  arguments.option(fmt::format("max_read={}", options.max_read));
  if (!has_option(options, "fsname=")) arguments.option("fsname=" + escape_comma(source));
  if (!has_option(options, "subtype=")) arguments.option("subtype=vmfs");
  // The kernel shows others no more than the guest would.
  if (options.default_permissions || options.allow_other) arguments.option("default_permissions");
  if (options.debug) arguments.add("-d");
  for (const std::string& word : options.fuse) arguments.option(escape_comma(word));
}

}  // namespace

Session make_session(const std::string& source, const MountOptions& options,
                     const fuse_lowlevel_ops& operations, void* data) {
  Arguments arguments;
  fill(arguments, source, options);
  return Session(::fuse_session_new(arguments.get(), &operations, sizeof operations, data));
}

}  // namespace vmfs
