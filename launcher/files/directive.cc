// SPDX-License-Identifier: MIT
#include "launcher/files/directive.h"

#include <algorithm>
#include <charconv>

namespace vmfs {
namespace {

std::size_t take_number(std::string_view& text) {
  constexpr std::size_t most = 4096;
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return std::min(number, most);
}

}  // namespace

Directive take_directive(std::string_view& text) {
  Directive directive;
  for (; !text.empty() && std::string_view("-0#+ '").contains(text.front()); text.remove_prefix(1)) {
    directive.left = directive.left || text.front() == '-';
    directive.zeros = directive.zeros || text.front() == '0';
    directive.alternate = directive.alternate || text.front() == '#';
  }
  directive.width = take_number(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    constexpr std::size_t all_digits = 9;
    const bool given = !text.empty() && text.front() >= '0' && text.front() <= '9';
    directive.precision = given ? take_number(text) : all_digits;
  }
  return directive;
}

std::string pad(DirectiveValue value, const Directive& directive) {
  if (!value.number && directive.precision)
    value.text.resize(std::min(value.text.size(), *directive.precision));
  const std::size_t missing = directive.width - std::min(directive.width, value.text.size());
  if (directive.left) return value.text + std::string(missing, ' ');
  return std::string(missing, directive.zeros && value.number ? '0' : ' ') + value.text;
}

}  // namespace vmfs
