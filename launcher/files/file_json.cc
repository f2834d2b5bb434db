// SPDX-License-Identifier: MIT
#include "launcher/files/file_json.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "launcher/files/file_text.h"

namespace vmfs {

using nlohmann::json;

std::string to_text(const json& value) {
  return value.dump(2, ' ', ::isatty(STDOUT_FILENO) != 0, json::error_handler_t::replace);
}

void set_text(json& object, const char* key, std::string_view text) {
  // Serialising alone decides what is UTF-8.
  const std::string replaced = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  object[key] = json::parse(replaced);
  if (object[key].get<std::string>() == text) return;
  std::string bytes;
  for (const char letter : text) bytes += fmt::format("{:02x}", static_cast<unsigned char>(letter));
  object[std::string(key) + "_hex"] = bytes;
}

json to_json(const Filesystem& filesystem, const Attributes& attributes, const Accounts& accounts) {
  json out = {{"inode", static_cast<std::uint64_t>(attributes.inode)},
              {"type", type_word(attributes.mode)},
              {"mode", fmt::format("{:04o}", attributes.mode & 07777U)},
              {"links", attributes.links},
              {"uid", attributes.uid},
              {"gid", attributes.gid},
              {"size", attributes.size},
              {"blocks", attributes.blocks},
              {"accessed", iso_time(attributes.accessed)},
              {"modified", iso_time(attributes.modified)},
              {"changed", iso_time(attributes.changed)}};
  const auto user = accounts.users.name(attributes.uid);
  const auto group = accounts.groups.name(attributes.gid);
  if (!user.empty()) set_text(out, "user", user);
  if (!group.empty()) set_text(out, "group", group);
  if (attributes.born.tv_sec != 0 || attributes.born.tv_nsec != 0) out["born"] = iso_time(attributes.born);
  if (S_ISBLK(attributes.mode) || S_ISCHR(attributes.mode)) {
    out["device"] = {major(attributes.device), minor(attributes.device)};
  }
  if (S_ISLNK(attributes.mode)) {
    const auto target = filesystem.readlink(attributes.inode);
    if (target) set_text(out, "target", *target);
  }
  return out;
}

}  // namespace vmfs
