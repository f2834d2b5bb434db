// SPDX-License-Identifier: MIT
#include "formats/lvm/config_text.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>

namespace vmfs::lvm {
namespace {

constexpr std::size_t max_depth = 16;
constexpr std::size_t max_key = 256;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What a key may consist of without quotes: names of volumes and groups, paths of settings.
bool is_key_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("_-.+/@").find(c) != std::string_view::npos;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<ConfigNode> parse() {
    ConfigNode root;
    root.section = true;
    TRY(parse_children(root, 0));
    return root;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

  [[nodiscard]] std::unexpected<Error> broken(std::string_view what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
    return fail(EUCLEAN, "LVM metadata text, line {}: {}", line, what);
  }

  void skip_space() {
    while (!at_end()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (is_space(text_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  /// Whether `c` comes next; then it is passed.
  bool take(char c) {
    skip_space();
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }

  Result<void> count() {
    if (++items_ > max_items) return broken("too many keys and values");
    return {};
  }

  /// The keys and sections up to a closing brace, at the top up to the end of the text.
  Result<void> parse_children(ConfigNode& parent, std::size_t depth) {
    if (depth > max_depth) return broken("too many sections in each other");
    while (true) {
      skip_space();
      if (at_end()) {
        if (depth != 0) return broken("a section has no end");
        return {};
      }
      if (depth != 0 && take('}')) return {};
      TRY(count());
      ConfigNode& node = parent.children.emplace_back();
      node.key = TRY(parse_key());
      const bool assigned = take('=');
      if (take('{')) {
        node.section = true;
        TRY(parse_children(node, depth + 1));
      } else if (assigned) {
        TRY(parse_values(node));
      } else {
        return broken("neither a value nor a section");
      }
    }
  }

  Result<std::string> parse_key() {
    if (peek() == '"') return parse_string();
    const std::size_t start = at_;
    while (!at_end() && is_key_character(text_[at_])) ++at_;
    if (at_ == start) return broken("no key");
    if (at_ - start > max_key) return broken("a key is too long");
    return std::string(text_.substr(start, at_ - start));
  }

  Result<void> parse_values(ConfigNode& node) {
    if (!take('[')) return parse_value(node);
    if (take(']')) return {};
    while (true) {
      TRY(parse_value(node));
      if (take(']')) return {};
      if (!take(',')) return broken("neither ',' nor ']' in a list");
    }
  }

  Result<void> parse_value(ConfigNode& node) {
    TRY(count());
    skip_space();
    if (peek() == '"') {
      node.values.emplace_back(TRY(parse_string()));
      return {};
    }
    node.values.emplace_back(TRY(parse_number()));
    return {};
  }

  /// A backslash makes the next character a plain one.
  Result<std::string> parse_string() {
    std::string out;
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return out;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    return broken("a string has no end");
  }

  Result<std::int64_t> parse_number() {
    std::int64_t value = 0;
    const char* const start = text_.data() + at_;
    const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), value);
    if (error != std::errc{}) return broken("neither a number nor a string");
    at_ += static_cast<std::size_t>(end - start);
    if (peek() == '.') {
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    return value;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t items_ = 0;
};

const ConfigNode* find_child(const ConfigNode& node, std::string_view name, bool section) {
  const auto found = std::ranges::find_if(
      node.children, [&](const ConfigNode& child) { return child.section == section && child.key == name; });
  return found == node.children.end() ? nullptr : &*found;
}

}  // namespace

const ConfigNode* ConfigNode::find_section(std::string_view name) const {
  return find_child(*this, name, true);
}

const ConfigNode* ConfigNode::find_key(std::string_view name) const {
  return find_child(*this, name, false);
}

std::string ConfigNode::text(std::string_view name) const {
  const ConfigNode* const found = find_key(name);
  if (found == nullptr || found->values.size() != 1) return {};
  const auto* const value = std::get_if<std::string>(&found->values.front());
  return value == nullptr ? std::string{} : *value;
}

std::optional<std::uint64_t> ConfigNode::number(std::string_view name) const {
  const ConfigNode* const found = find_key(name);
  if (found == nullptr || found->values.size() != 1) return {};
  const auto* const value = std::get_if<std::int64_t>(&found->values.front());
  if (value == nullptr || *value < 0) return {};
  return static_cast<std::uint64_t>(*value);
}

std::vector<std::string> ConfigNode::texts(std::string_view name) const {
  std::vector<std::string> out;
  const ConfigNode* const found = find_key(name);
  if (found == nullptr) return out;
  for (const ConfigValue& value : found->values) {
    if (const auto* const text = std::get_if<std::string>(&value)) out.push_back(*text);
  }
  return out;
}

Result<ConfigNode> parse_config(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace vmfs::lvm
