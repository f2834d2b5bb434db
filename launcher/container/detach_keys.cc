// SPDX-License-Identifier: MIT
#include "launcher/container/detach_keys.h"

#include <cerrno>
#include <optional>

#include "launcher/container/words.h"

namespace vmfs {
namespace {

// What a terminal sends for a key together with Ctrl: that key's lower five bits, see ascii(7).
std::optional<char> control_key(char key) {
  if (key >= 'a' && key <= 'z') return static_cast<char>(key - 'a' + 1);
  if (key == '@') return '\0';
  if (key >= '[' && key <= '_') return static_cast<char>(key - '[' + 0x1b);
  return std::nullopt;
}

std::optional<char> key_of(const std::string& word) {
  if (word.size() == 1) return word.front();
  if (word.size() == 6 && word.starts_with("ctrl-")) return control_key(word.back());
  return std::nullopt;
}

}  // namespace

Result<std::string> parse_detach_keys(const std::string& text) {
  std::string keys;
  for (const std::string& word : split_words(text, ',')) {
    const auto key = key_of(word);
    if (!key) {
      return fail(EINVAL,
                  "--detach-keys {}: single characters or ctrl-X with X one of a-z @ [ \\ ] ^ _ are wanted",
                  text);
    }
    keys += *key;
  }
  return keys;
}

bool DetachKeys::filter(std::string& typed) {
  if (keys_.empty()) return false;
  std::string rest;
  std::string candidate = keys_.substr(0, matched_);
  for (const char key : typed) {
    candidate += key;
    while (!keys_.starts_with(candidate)) {
      rest += candidate.front();
      candidate.erase(0, 1);
    }
    if (candidate.size() < keys_.size()) continue;
    matched_ = 0;
    typed = std::move(rest);
    return true;
  }
  matched_ = candidate.size();
  typed = std::move(rest);
  return false;
}

}  // namespace vmfs
