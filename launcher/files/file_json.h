// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "launcher/files/accounts.h"

namespace vmfs {

/// What there is to say of a file: "inode", "type", "mode" (octal text), "links", "uid", "gid", "user" and
/// "group" (where the guest names them), "size", "blocks" (of 512 bytes), "device" ([major, minor], of device
/// files), "accessed", "modified", "changed" and "born" (UTC with nanoseconds; "born" only where it is
/// known), and "target" (of symbolic links).
[[nodiscard]] nlohmann::json to_json(const Filesystem& filesystem, const Attributes& attributes,
                                     const Accounts& accounts);

/// Sets `key` to text of the guest. What is not UTF-8 is replaced, and `key` + "_hex" has its bytes.
void set_text(nlohmann::json& object, const char* key, std::string_view text);

/// JSON as text, whatever bytes are in it; on a terminal, ASCII alone: JSON leaves some control characters as
/// they are.
[[nodiscard]] std::string to_text(const nlohmann::json& value);

}  // namespace vmfs
