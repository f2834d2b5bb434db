// SPDX-License-Identifier: MIT
#include "launcher/container/names.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

namespace vmfs {
namespace {

constexpr std::size_t longest_name = 64;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_inner(char c) {
  return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "RTMIN", "RTMIN+3", "RTMAX-1".
std::optional<int> realtime_signal(std::string_view name) {
  const bool from_begin = name.starts_with("RTMIN");
  if (!from_begin && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = from_begin ? SIGRTMIN : SIGRTMAX;
  const std::string_view rest = name.substr(5);
  if (rest.empty()) return base;
  const auto distance = number(rest.substr(1));
  if (!distance || *distance < 0 || *distance > SIGRTMAX - SIGRTMIN ||
      rest.front() != (from_begin ? '+' : '-'))
    return std::nullopt;
  return from_begin ? base + *distance : base - *distance;
}

std::optional<int> named_signal(std::string_view name) {
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return realtime_signal(name);
}

}  // namespace

bool is_container_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && is_letter_or_digit(name.front()) &&
         std::ranges::all_of(name, is_inner);
}

std::string make_container_name(std::string_view image, std::uint32_t number) {
  std::string stem(image.substr(image.rfind('/') + 1));
  stem = stem.substr(0, std::min(stem.find('.'), longest_name - 5));
  std::ranges::replace_if(stem, [](char c) { return !is_inner(c); }, '-');
  if (stem.empty() || !is_letter_or_digit(stem.front())) stem = "container";
  return fmt::format("{}-{:04x}", stem, number & 0xffff);
}

Result<int> parse_signal(const std::string& text) {
  std::string name = text;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  const auto value = number(name);
  const auto signal = value ? value : named_signal(name);
  if (!signal || *signal < 1 || *signal > SIGRTMAX) {
    return fail(EINVAL, "{}: no such signal; a name or number of signal(7) is wanted", text);
  }
  return *signal;
}

}  // namespace vmfs
