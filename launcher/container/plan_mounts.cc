// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include <sys/mount.h>

#include "launcher/container/plan.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

// podman knows them; here they are so in any case, or mean nothing without SELinux.
constexpr std::array accepted_words = {"rw",      "z",        "Z",      "bind", "rbind",
                                       "private", "rprivate", "nosuid", "nodev"};

struct Attribute {
  std::string_view word;
  std::uint64_t flag;
  bool set;
};

constexpr Attribute attribute_words[] = {
    {"ro", MOUNT_ATTR_RDONLY, true},       {"rw", MOUNT_ATTR_RDONLY, false},
    {"nosuid", MOUNT_ATTR_NOSUID, true},   {"suid", MOUNT_ATTR_NOSUID, false},
    {"nodev", MOUNT_ATTR_NODEV, true},     {"dev", MOUNT_ATTR_NODEV, false},
    {"noexec", MOUNT_ATTR_NOEXEC, true},   {"exec", MOUNT_ATTR_NOEXEC, false},
    {"noatime", MOUNT_ATTR_NOATIME, true},
};

constexpr std::array tmpfs_values = {"size", "mode", "nr_inodes", "nr_blocks", "uid", "gid"};

// Without "//", "." and ".."; these would go wrong in the comparison of paths.
Result<std::string> destination(const std::string& option, const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  if (!normal.starts_with('/'))
    return fail(EINVAL, "{}: {} is no absolute path of the container", option, path);
  const auto is_or_is_below = [&](const std::string& folder) {
    return normal == folder || normal.starts_with(folder + "/");
  };
  if (normal == "/" || is_or_is_below("/proc") || is_or_is_below("/sys") || normal == "/dev") {
    return fail(EINVAL, "{}: {} is the container's own", option, path);
  }
  return normal;
}

bool is_one_of(const auto& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

Result<SharedPath> parse_shared_path(const std::string& text, const std::string& directory) {
  const auto parts = split_words(text, ':');
  if (parts.size() < 2 || parts.size() > 3)
    return fail(EINVAL, "-v {}: SRC:DST or SRC:DST:ro is wanted", text);
  if (!parts[0].starts_with('/') && !parts[0].starts_with('.')) {
    return fail(EINVAL, "-v {}: a path is wanted before the colon; in the working directory that is ./{}",
                text, parts[0]);
  }
  SharedPath volume{.source = absolute_path(parts[0], directory),
                    .destination = TRY(destination("-v " + text, parts[1]))};
  const auto words = parts.size() == 3 ? split_words(parts[2], ',') : std::vector<std::string>{};
  if (is_one_of(words, "ro") && is_one_of(words, "rw"))
    return fail(EINVAL, "-v {}: ro and rw exclude each other", text);
  for (const std::string& word : words) {
    if (word == "ro") {
      volume.read_only = true;
    } else if (!is_one_of(accepted_words, word)) {
      return fail(EINVAL, "-v {}: unknown option {}; ro and rw are known", text, word);
    }
  }
  return volume;
}

Result<MemoryFolder> parse_memory_folder(const std::string& text) {
  const auto colon = text.find(':');
  MemoryFolder volume{.destination = TRY(destination("--tmpfs " + text, text.substr(0, colon))),
                      .parameters = {},
                      .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
  for (const std::string& word : split_words(colon == std::string::npos ? "" : text.substr(colon + 1), ',')) {
    const auto equals = word.find('=');
    const auto* const known =
        std::ranges::find_if(attribute_words, [&](const Attribute& each) { return each.word == word; });
    if (known != std::end(attribute_words)) {
      volume.attributes = known->set ? volume.attributes | known->flag : volume.attributes & ~known->flag;
    } else if (equals != std::string::npos && is_one_of(tmpfs_values, word.substr(0, equals))) {
      volume.parameters.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    } else {
      return fail(EINVAL, "--tmpfs {}: unknown option {}", text, word);
    }
  }
  return volume;
}

}  // namespace vmfs
