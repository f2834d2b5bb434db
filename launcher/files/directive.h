// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vmfs {

/// What stands between '%' and its letter in the formats of stat(1) and find(1), as printf(3) has it.
struct Directive {
  bool left = false;
  bool zeros = false;
  bool alternate = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
};

/// What a directive stands for.
struct DirectiveValue {
  std::string text;
  bool number = false;
};

/// Takes flags, width and precision from the front of `text`.
[[nodiscard]] Directive take_directive(std::string_view& text);

/// Cut to the precision, where it is no number, and filled up to the width.
[[nodiscard]] std::string pad(DirectiveValue value, const Directive& directive);

}  // namespace vmfs
