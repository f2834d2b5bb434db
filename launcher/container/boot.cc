// SPDX-License-Identifier: MIT
#include "launcher/container/boot.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <memory>

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/etc_files.h"
#include "launcher/container/mounts.h"
#include "launcher/container/process.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

// Documentation/admin-guide/init.rst; and where systemd is when nothing links to it.
constexpr std::array init_paths = {"/sbin/init", "/etc/init", "/bin/init", "/usr/lib/systemd/systemd",
                                   "/lib/systemd/systemd"};

constexpr std::size_t machine_id_digits = 32;
constexpr std::size_t longest_unit_name = 252;  // a ".d" behind it still is a file's name

// A directory of its own that goes before all others, /etc/systemd/system too, and is gone with /run: nothing
// is left in an overlay that is kept.
constexpr const char* unit_folder = "/run/systemd/system.control";
constexpr const char* generator_folder = "/run/systemd/system-generators";

struct InitName {
  std::string_view name;
  InitKind kind;
};

constexpr InitName init_names[] = {{"systemd", InitKind::systemd},
                                   {"busybox", InitKind::busybox},
                                   {"openrc-init", InitKind::openrc},
                                   {"init", InitKind::sysvinit},
                                   {"sysvinit", InitKind::sysvinit}};

bool is_program(const char* path) {
  struct stat status{};
  return ::stat(path, &status) == 0 && S_ISREG(status.st_mode) && ::access(path, X_OK) == 0;
}

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : path;
}

// ID:LEVELS:ACTION:PROCESS; the first is a terminal's name in busybox's.
struct InittabLine {
  std::string_view action;
  std::string_view process;
};

InittabLine parse_inittab_line(std::string_view line) {
  if (line.starts_with('#')) return {};
  std::array<std::size_t, 3> colons{};
  std::size_t begin = 0;
  for (std::size_t& colon : colons) {
    colon = line.find(':', begin);
    if (colon == std::string_view::npos) return {};
    begin = colon + 1;
  }
  return {.action = line.substr(colons[1] + 1, colons[2] - colons[1] - 1), .process = line.substr(begin)};
}

bool is_login_prompt(std::string_view line, const InittabLine& parts) {
  const bool starts_again =
      parts.action == "respawn" || parts.action == "askfirst" || parts.action == "ondemand";
  return starts_again && parts.process.contains("getty") && !line.contains("console");
}

Result<std::string> new_machine_id() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return failed_call("machine id", errno);
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // a random UUID: RFC 9562, version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string id;
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

Result<std::string> choose_machine_id(bool keep) {
  const std::string text = read_etc_file("machine-id");
  if (keep && is_machine_id(text)) return text.substr(0, machine_id_digits);
  std::string id = TRY(new_machine_id());
  TRY(replace_etc_file("machine-id", id + "\n"));
  return id;
}

Result<void> mask_in(const std::string& folder, auto&& names) {
  TRY(make_directories(folder));
  for (const auto& name : names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (::symlink("/dev/null", path.c_str()) != 0) return failed_call(path, errno);
  }
  return {};
}

Result<void> write_run_file(const std::string& folder, const std::string& name, const std::string& text) {
  TRY(make_directories(folder));
  return replace_file(fmt::format("{}/{}", folder, name), text);
}

// Only we can unmount what we have mounted: it shall not try when it shuts down.
Result<void> keep_mounted(const std::string& path) {
  const std::string unit = mount_unit_of(path);
  if (unit.size() > longest_unit_name) return {};  // systemd has no unit for it either
  return write_run_file(fmt::format("/run/systemd/system/{}.d", unit), "vmfs.conf",
                        "[Unit]\nDefaultDependencies=no\n");
}

// The same where the image may have a unit that says itself when to unmount.
Result<void> replace_mount_unit(const std::string& path) {
  return replace_file(
      fmt::format("{}/{}", unit_folder, mount_unit_of(path)),
      fmt::format("[Unit]\nDefaultDependencies=no\n[Mount]\nWhat=tmpfs\nWhere={}\nType=tmpfs\n", path));
}

Result<void> prepare_systemd(const Plan& plan) {
  TRY(mask_in(unit_folder, masked_units()));
  TRY(mask_in(generator_folder, masked_generators(plan.terminal)));
  for (const char* path : {"/tmp", "/run/lock"}) TRY(replace_mount_unit(path));
  for (const SharedPath& volume : plan.volumes) TRY(keep_mounted(volume.destination));
  for (const MemoryFolder& folder : plan.memory_folders) TRY(keep_mounted(folder.destination));
  return {};
}

}  // namespace

std::string mount_unit_of(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) return "-.mount";
  std::string name;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == ':' || c == '_' || (c == '.' && !name.empty());
    if (c == '/') {
      name += '-';
    } else if (plain) {
      name += c;
    } else {
      name += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return name + ".mount";
}

InitKind kind_of_init(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto* const known = std::ranges::find(init_names, name, &InitName::name);
  return known != std::end(init_names) ? known->kind : InitKind::other;
}

int stop_signal_of(InitKind kind) {
  switch (kind) {
    case InitKind::systemd:
      return SIGRTMIN + 3;
    case InitKind::sysvinit:
      return SIGPWR;
    case InitKind::busybox:
      return SIGUSR2;
    case InitKind::openrc:
    case InitKind::other:
      break;
  }
  return SIGTERM;
}

bool needs_group(InitKind kind) {
  return kind == InitKind::systemd;
}

std::string inittab_for(std::string_view text, InitKind kind) {
  std::string out;
  for (const std::string& line : split_words(text, '\n')) {
    const InittabLine parts = parse_inittab_line(line);
    if (is_login_prompt(line, parts)) continue;
    if (kind == InitKind::sysvinit && parts.action.starts_with("power")) continue;
    out.append(line).append("\n");
  }
  while (out.ends_with("\n\n")) out.pop_back();
  if (kind == InitKind::sysvinit) out += "vmfs::powerfail:/sbin/init 0\n";
  return out;
}

bool is_machine_id(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text.size() == machine_id_digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         text.find_first_not_of('0') != std::string_view::npos;
}

std::string uuid_of(std::string_view machine_id) {
  return fmt::format("{}-{}-{}-{}-{}", machine_id.substr(0, 8), machine_id.substr(8, 4),
                     machine_id.substr(12, 4), machine_id.substr(16, 4), machine_id.substr(20));
}

Result<Boot> find_init() {
  for (const char* path : init_paths) {
    if (is_program(path)) return Boot{.path = path, .kind = kind_of_init(resolved(path)), .uuid = {}};
  }
  return fail(
      ENOENT,
      "--boot: the image has no init (/sbin/init, /etc/init, /bin/init, systemd); it may be the image "
      "of a container: run a command in it without --boot");
}

Result<void> prepare_boot(const Plan& plan, Boot& boot, bool keep_machine_id) {
  const std::string id = TRY(choose_machine_id(keep_machine_id));
  boot.uuid = uuid_of(id);
  // The devices it names are the virtual machine's.
  TRY(replace_etc_file("fstab", "# A container has no disks: what fstab says does not count here.\n"));
  TRY(write_run_file("/run/systemd", "container", "vmfs\n"));
  if (boot.kind == InitKind::systemd) return prepare_systemd(plan);
  const std::string inittab = read_etc_file("inittab");
  if (inittab.empty()) return {};
  return replace_etc_file("inittab", inittab_for(inittab, boot.kind));
}

}  // namespace vmfs
