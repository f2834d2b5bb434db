// SPDX-License-Identifier: MIT
#include "launcher/container/etc_files.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/mounts.h"
#include "launcher/container/process.h"
#include "launcher/fd.h"

namespace vmfs {
namespace {

constexpr std::size_t longest_hostname = 64;
constexpr std::size_t largest_file = 1 << 20;

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  line = line.substr(0, line.find('#'));
  while (true) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return out;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool names_host(std::string_view text, std::string_view host) {
  return std::ranges::any_of(lines(text), [&](std::string_view line) {
    const auto parts = words(line);
    return parts.size() > 1 && std::ranges::find(parts.begin() + 1, parts.end(), host) != parts.end();
  });
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "0.0.0.0" || address == "::";
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_hostname(std::string_view name) {
  return !name.empty() && name.size() <= longest_hostname && is_letter_or_digit(name.front()) &&
         is_letter_or_digit(name.back()) && std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
         });
}

std::string hostname_of(std::string_view text) {
  for (const std::string_view line : lines(text)) {
    const auto parts = words(line);
    if (!parts.empty()) return is_hostname(parts.front()) ? std::string(parts.front()) : "vmfs";
  }
  return "vmfs";
}

std::string hosts_with(std::string_view text, std::string_view hostname) {
  std::string out(text);
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  if (!names_host(text, "localhost"))
    out += "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!names_host(text, hostname)) out += fmt::format("127.0.1.1\t{}\n", hostname);
  return out;
}

std::string resolver_for(std::string_view text, std::string_view fallback) {
  std::string out;
  bool reachable = false;
  for (const std::string_view line : lines(text)) {
    const auto parts = words(line);
    if (parts.size() > 1 && parts[0] == "nameserver") {
      if (is_loopback(parts[1])) continue;
      reachable = true;
    }
    out.append(line).append("\n");
  }
  if (reachable) return out;
  return fallback.empty() ? "" : resolver_for(fallback, "");
}

Result<void> replace_file(const std::string& path, const std::string& text) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed_call(path, errno);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return failed_call(path, errno);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0) return failed_call(path, errno);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> replace_etc_file(const std::string& name, const std::string& text) {
  TRY(make_directories("/etc"));
  return replace_file("/etc/" + name, text);
}

std::string read_etc_file(const std::string& name) {
  // Not blocked by a FIFO, not led astray by a device: it is the image that says what lies here.
  const Fd file(::open(("/etc/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  std::string text(largest_file, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + length, text.size() - length);
    if (got <= 0) break;
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  return text;
}

}  // namespace vmfs
