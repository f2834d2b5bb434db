// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/result.h"

namespace vmfs::lvm {

/// A number or a string of an LVM configuration text.
using ConfigValue = std::variant<std::int64_t, std::string>;

/// A section, or a key and its value or list of values.
struct ConfigNode {
  std::string key;
  bool section = false;
  std::vector<ConfigValue> values;   ///< of a key; a value alone is a list of one
  std::vector<ConfigNode> children;  ///< of a section, in the text's order

  /// The first child of that name that is a section, or nullptr.
  [[nodiscard]] const ConfigNode* find_section(std::string_view name) const;
  /// The first child of that name that is a key, or nullptr.
  [[nodiscard]] const ConfigNode* find_key(std::string_view name) const;

  /// A key with a string, or empty where there is none.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// A key with a number that is not negative. Absent: no such key, or another kind of value.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;
  /// A key with a list of strings (others in it are left out), empty where there is none.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
};

/// Parses a text in LVM's configuration language: "key = value", "key = [value, ...]", "key { ... }",
/// comments from
/// '#' on. Numbers with a fraction are kept as their whole part. At most 16 sections deep and `max_items`
/// keys, sections and values. Errors: EUCLEAN with the line.
[[nodiscard]] Result<ConfigNode> parse_config(std::string_view text);

/// How many keys, sections and values a text may have; a volume takes about 30.
constexpr std::size_t max_items = 300'000;

}  // namespace vmfs::lvm
