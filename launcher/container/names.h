// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/result.h"

namespace vmfs {

/// Whether a container may have this name: a letter or digit, then letters, digits, "_", "." and "-", at most
/// 64 in all, as podman has them. Such a name is a file name too.
[[nodiscard]] bool is_container_name(std::string_view name);

/// A name for a container that was given none: what the image's file is called, and four digits of `number`.
[[nodiscard]] std::string make_container_name(std::string_view image, std::uint32_t number);

/// A signal as kill(1) takes it: "TERM", "SIGTERM", "15", "RTMIN+3". Errors: EINVAL with what is wanted.
[[nodiscard]] Result<int> parse_signal(const std::string& text);

}  // namespace vmfs
