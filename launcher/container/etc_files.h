// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "formats/result.h"

namespace vmfs {

/// The name in an /etc/hostname, or "vmfs" where that holds none a machine could have (hostname(7)).
[[nodiscard]] std::string hostname_of(std::string_view text);

/// Whether this is a name a machine can have.
[[nodiscard]] bool is_hostname(std::string_view name);

/// An /etc/hosts like the image's own, in which localhost and the container's name have addresses.
[[nodiscard]] std::string hosts_with(std::string_view text, std::string_view hostname);

/// The machine's resolv.conf(5) as a container can use it: a resolver on the machine's loopback is out of
/// reach, then `fallback` (what systemd-resolved asks itself) counts; nothing left: an empty text.
[[nodiscard]] std::string resolver_for(std::string_view text, std::string_view fallback);

/// Makes a file anew: a link that is there goes, what it names stays as it is. Its directory must exist.
[[nodiscard]] Result<void> replace_file(const std::string& path, const std::string& text);

/// Makes a file of /etc of the container anew: a link that is there goes, what it names stays as it is.
[[nodiscard]] Result<void> replace_etc_file(const std::string& name, const std::string& text);

/// A file of at most a megabyte in the container's root; empty where there is none.
[[nodiscard]] std::string read_etc_file(const std::string& name);

}  // namespace vmfs
