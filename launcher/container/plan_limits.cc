// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "launcher/container/plan.h"

namespace vmfs {
namespace {

// Of a decimal number without a sign, exponent or blanks: how many thousandths it has, at most 2^53.
std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  constexpr double largest = 9007199254740992.0;
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > largest)
    return std::nullopt;
  return value;
}

// "512m", "1.5g", "1GiB", "1000b": units are powers of 1024, as podman has them.
Result<std::uint64_t> parse_size(const std::string& option, const std::string& text) {
  constexpr std::string_view digits = "0123456789.";
  constexpr std::string_view units = "kmgtp";
  const auto end = std::min(text.find_first_not_of(digits), text.size());
  std::string unit;
  for (const char c : text.substr(end)) unit += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  double factor = 1;
  if (const auto power = unit.empty() ? std::string::npos : units.find(unit[0]); power != std::string::npos) {
    factor = std::pow(1024.0, static_cast<double>(power + 1));
    unit.erase(0, 1);
    if (unit.starts_with('i')) unit.erase(0, 1);
  }
  const auto number = parse_decimal(std::string_view(text).substr(0, end));
  const double largest = std::pow(2.0, 62);
  if (!number || (!unit.empty() && unit != "b") || *number * factor > largest) {
    return fail(EINVAL, "{} {}: a number of bytes is wanted, with b, k, m or g behind it for units of 1024",
                option, text);
  }
  return static_cast<std::uint64_t>(*number * factor);
}

Result<std::uint64_t> parse_processors(const std::string& text) {
  const auto number = parse_decimal(text);
  constexpr double most = 1e6;
  if (!number || *number > most || (*number > 0 && *number < 0.01)) {
    return fail(EINVAL, "--cpus {}: a number of processors from 0.01 on is wanted, such as 1.5", text);
  }
  return static_cast<std::uint64_t>(std::lround(*number * 1000));
}

// 0 and -1: as many as the machine allows.
Result<std::uint64_t> parse_processes(const std::string& text) {
  if (text == "-1") return std::uint64_t{0};
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::uint64_t most = 1 << 22;  // process ids of Linux
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    return fail(EINVAL, "--pids-limit {}: a number of processes up to {} is wanted, or -1 for any", text,
                most);
  }
  return value;
}

}  // namespace

Result<Limits> parse_limits(const RunOptions& options) {
  Limits limits;
  if (!options.memory.empty()) limits.memory = TRY(parse_size("--memory", options.memory));
  if (!options.processors.empty()) limits.cpu_thousandths = TRY(parse_processors(options.processors));
  if (!options.processes.empty()) limits.processes = TRY(parse_processes(options.processes));
  return limits;
}

}  // namespace vmfs
