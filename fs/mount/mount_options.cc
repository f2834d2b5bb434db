// SPDX-License-Identifier: MIT
#include "fs/mount/mount_options.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "formats/image_cache.h"

namespace vmfs {
namespace {

// Given to libfuse as they are (mount.fuse3(8)).
constexpr std::array fuse_words = {"allow_other", "allow_root", "suid", "nosuid",
                                   "dev",         "nodev",      "exec", "noexec"};
constexpr std::array fuse_values = {"fsname", "subtype", "context", "fscontext", "defcontext", "rootcontext"};

// Of mount(8) and fstab(5) for tools above us, or without a meaning where nothing is ever written.
constexpr std::array ignored_words = {
    "ro",         "defaults", "auto",       "noauto",      "user",          "nouser",       "users",
    "owner",      "group",    "nofail",     "_netdev",     "loop",          "nouuid",       "kernel_cache",
    "auto_cache", "acl",      "async_read", "nonempty",    "splice_read",   "splice_write", "large_read",
    "big_writes", "async",    "sync",       "dirsync",     "atime",         "noatime",      "diratime",
    "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime",     "nolazytime",
    "clone_fd",   "silent",   "loud",       "discard",     "nodiscard",     "quiet",        "user_xattr",
    "symfollow"};
constexpr std::array ignored_values = {"comment",
                                       "user",
                                       "errors",
                                       "data",
                                       "barrier",
                                       "max_write",
                                       "max_background",
                                       "max_readahead",
                                       "congestion_threshold",
                                       "max_idle_threads"};

bool any_of(const auto& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

template <class Integer>
Result<Integer> number(std::string_view word, std::string_view value, int base) {
  Integer parsed = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed, base);
  if (code != std::errc{} || end != value.data() + value.size() || value.empty()) {
    return fail(EINVAL, "-o {}={}: a{} number is wanted", word, value, base == 8 ? "n octal" : "");
  }
  return parsed;
}

Result<double> seconds(std::string_view word, const std::string& value) {
  char* end = nullptr;
  const double parsed = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !std::isfinite(parsed) || parsed < 0) {
    return fail(EINVAL, "-o {}={}: a number of seconds is wanted", word, value);
  }
  return parsed;
}

Result<bool> parse_flag(const std::string& word, MountOptions& options) {
  if (word == "rw") return fail(EROFS, "-o rw: an image is never written, a mount is always read-only");
  if (word == "allow_other" || word == "allow_root") options.allow_other = true;
  if (any_of(fuse_words, word)) {
    options.fuse.push_back(word);
    return true;
  }
  if (word == "auto_unmount") return options.auto_unmount = true;
  if (word == "default_permissions") return options.default_permissions = true;
  if (word == "debug") return options.debug = true;
  if (word == "norecovery" || word == "noload") {
    options.recover = false;
    return true;
  }
  if (word == "all") return options.all = true;
  return any_of(ignored_words, word) || word.starts_with("x-");
}

Result<bool> parse_number(const std::string& name, const std::string& value, MountOptions& options) {
  if (name == "uid")
    options.uid = TRY(number<uid_t>(name, value, 10));
  else if (name == "gid")
    options.gid = TRY(number<gid_t>(name, value, 10));
  else if (name == "umask")
    options.umask = TRY(number<mode_t>(name, value, 8)) & 0777;
  else if (name == "fmask")
    options.fmask = TRY(number<mode_t>(name, value, 8)) & 0777;
  else if (name == "dmask")
    options.dmask = TRY(number<mode_t>(name, value, 8)) & 0777;
  else if (name == "max_threads")
    options.max_threads = std::clamp(TRY(number<unsigned>(name, value, 10)), 1U, 1024U);
  else if (name == "max_read")
    options.max_read = std::max(TRY(number<unsigned>(name, value, 10)), 4096U);
  else if (name == "attr_timeout")
    options.attr_timeout = TRY(seconds(name, value));
  else if (name == "entry_timeout")
    options.entry_timeout = TRY(seconds(name, value));
  else if (name == "negative_timeout")
    options.negative_timeout = TRY(seconds(name, value));
  else
    return false;
  return true;
}

Result<std::size_t> cache_size(const std::string& value) {
  auto size = parse_cache_size(value);
  if (!size) return fail(size.error().code, "-o cache_size={}: {}", value, size.error().what);
  return size;
}

Result<bool> parse_value(const std::string& name, const std::string& value, MountOptions& options) {
  if (name == "add")
    options.added.push_back(value);
  else if (name == "format")
    options.format = value;
  else if (name == "partition")
    options.partition = value;
  else if (name == "snapshot")
    options.snapshot = value;
  else if (name == "cache_size")
    options.cache_size = TRY(cache_size(value));
  else if (any_of(fuse_values, name))
    options.fuse.push_back(name + "=" + value);
  else if (!any_of(ignored_values, name) && !name.starts_with("x-"))
    return parse_number(name, value, options);
  return true;
}

Result<void> parse_word(const std::string& word, MountOptions& options) {
  const auto equals = word.find('=');
  const bool known = equals == std::string::npos
                         ? TRY(parse_flag(word, options))
                         : TRY(parse_value(word.substr(0, equals), word.substr(equals + 1), options));
  if (!known) return fail(EINVAL, "-o {}: unknown option", word);
  return {};
}

}  // namespace

Result<void> parse_mount_options(std::string_view words, MountOptions& options) {
  std::string word;
  for (std::size_t i = 0; i <= words.size(); ++i) {
    if (i < words.size() && words[i] == '\\' && i + 1 < words.size()) {
      word += words[++i];
    } else if (i < words.size() && words[i] != ',') {
      word += words[i];
    } else {
      if (!word.empty()) TRY(parse_word(word, options));
      word.clear();
    }
  }
  return {};
}

}  // namespace vmfs
