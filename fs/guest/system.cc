// SPDX-License-Identifier: MIT
#include "fs/guest/system.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <elf.h>
#include <sys/stat.h>

#include "formats/text.h"
#include "fs/path.h"

namespace vmfs {
namespace {

constexpr std::uint64_t max_text = 64U << 10;
constexpr std::size_t max_kernels = 64;

bool exists(const Filesystem& tree, std::string_view path) {
  return resolve(tree, path).has_value();
}

std::string read_text(const Filesystem& tree, std::string_view path) {
  const auto inode = resolve(tree, path);
  if (!inode) return {};
  return read_small_file(tree, *inode, max_text).value_or(std::string());
}

struct Machine {
  unsigned machine;
  bool is_64;
  bool is_little;
  const char* name;
};

constexpr Machine machines[] = {
    {EM_X86_64, true, true, "x86_64"},  {EM_X86_64, false, true, "x32"},
    {EM_386, false, true, "i686"},      {EM_AARCH64, true, true, "aarch64"},
    {EM_ARM, false, true, "armv7l"},    {EM_RISCV, true, true, "riscv64"},
    {EM_RISCV, false, true, "riscv32"}, {EM_PPC64, true, true, "ppc64le"},
    {EM_PPC64, true, false, "ppc64"},   {EM_PPC, false, false, "ppc"},
    {EM_S390, true, false, "s390x"},    {EM_MIPS, true, true, "mips64el"},
    {EM_MIPS, false, true, "mipsel"},   {EM_MIPS, false, false, "mips"},
    {258, true, true, "loongarch64"},   {EM_SPARCV9, true, false, "sparc64"},
    {EM_IA_64, true, true, "ia64"},     {EM_68K, false, false, "m68k"},
};

/// The machine of a program; empty where it is none.
std::string machine_of(const Filesystem& tree, std::string_view path) {
  const auto inode = resolve(tree, path);
  if (!inode) return {};
  const auto file = tree.open(*inode);
  if (!file) return {};
  const auto header = read_struct<std::array<std::byte, 20>>(**file, 0);
  if (!header || std::memcmp(header->data(), ELFMAG, SELFMAG) != 0) return {};
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>((*header)[i]); };
  const bool is_little = byte(EI_DATA) == ELFDATA2LSB;
  const unsigned machine = is_little ? byte(18) | byte(19) << 8U : byte(19) | byte(18) << 8U;
  const bool is_64 = byte(EI_CLASS) == ELFCLASS64;
  const auto* const found = std::ranges::find_if(machines, [&](const Machine& known) {
    return known.machine == machine && known.is_64 == is_64 && known.is_little == is_little;
  });
  return found == std::end(machines) ? fmt::format("elf machine {}", machine) : found->name;
}

std::string find_architecture(const Filesystem& tree) {
  for (const std::string_view path : {"/bin/sh", "/usr/bin/sh", "/sbin/init", "/usr/lib/systemd/systemd",
                                      "/bin/busybox", "/usr/bin/coreutils"}) {
    if (auto machine = machine_of(tree, path); !machine.empty()) return machine;
  }
  return {};
}

/// The value of NAME=value in a shell file, without quotes.
std::string shell_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    std::string value(line);
    std::erase_if(value, [](char c) { return c == '"' || c == '\'' || c == ' ' || c == '\r'; });
    return value;
  }
  return {};
}

std::string find_hostname(const Filesystem& tree) {
  for (const std::string_view path : {"/etc/hostname", "/etc/HOSTNAME"}) {
    const std::string content = read_text(tree, path);
    std::string_view text = content;
    while (!text.empty()) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t\r")));
      line = line.substr(0, line.find_first_of(" \t\r"));
      if (!line.empty() && line.front() != '#') return printable(line);
    }
  }
  if (auto name = shell_value(read_text(tree, "/etc/conf.d/hostname"), "hostname="); !name.empty())
    return printable(name);
  return printable(shell_value(read_text(tree, "/etc/sysconfig/network"), "HOSTNAME="));
}

struct Init {
  std::string_view program;
  const char* name;
};

/// What /sbin/init can lead to.
constexpr Init inits[] = {{"/usr/lib/systemd/systemd", "systemd"},
                          {"/lib/systemd/systemd", "systemd"},
                          {"/sbin/openrc-init", "openrc"},
                          {"/sbin/runit-init", "runit"},
                          {"/sbin/runit", "runit"},
                          {"/sbin/dinit", "dinit"},
                          {"/bin/dinit", "dinit"},
                          {"/sbin/upstart", "upstart"},
                          {"/bin/s6-svscan", "s6"}};

std::string find_init(const Filesystem& tree) {
  const auto init = resolve(tree, "/sbin/init");
  if (!init) return exists(tree, "/usr/lib/systemd/systemd") ? "systemd" : "";
  const auto is = [&](std::string_view program) {
    const auto found = resolve(tree, program);
    return found && *found == *init;
  };
  for (const Init& known : inits) {
    if (is(known.program)) return known.name;
  }
  // These are started by a small init from its inittab.
  if (exists(tree, "/sbin/openrc")) return "openrc";
  if (is("/bin/busybox")) return "busybox";
  if (exists(tree, "/sbin/initctl") && exists(tree, "/etc/init")) return "upstart";
  return exists(tree, "/etc/inittab") ? "sysvinit" : "other";
}

std::vector<std::string> names_in(const Filesystem& tree, std::string_view path) {
  std::vector<std::string> names;
  const auto directory = resolve(tree, path);
  if (!directory) return names;
  // What came before an error counts.
  static_cast<void>(tree.list(*directory, 0, [&](const DirectoryEntry& entry) {
    if (!entry.name.starts_with('.')) names.emplace_back(entry.name);
    return names.size() < 4096;
  }));
  return names;
}

std::vector<std::string> find_kernels(const Filesystem& tree) {
  std::set<std::string> versions;
  for (const std::string_view path : {"/lib/modules", "/usr/lib/modules"}) {
    for (std::string& name : names_in(tree, path)) {
      const auto inode = resolve(tree, fmt::format("{}/{}", path, name));
      const auto found = inode ? tree.stat(*inode) : Result<Attributes>(std::unexpected(inode.error()));
      if (found && S_ISDIR(found->mode) && name.find_first_of("0123456789") == 0)
        versions.insert(printable(name));
    }
  }
  constexpr std::array<std::string_view, 4> prefixes = {"vmlinuz-", "vmlinux-", "Image-", "kernel-"};
  for (const std::string& name : names_in(tree, "/boot")) {
    for (const std::string_view prefix : prefixes) {
      if (!name.starts_with(prefix)) continue;
      const std::string version = name.substr(prefix.size());
      if (version.find_first_of("0123456789") == 0) versions.insert(printable(version));
    }
  }
  std::vector<std::string> sorted(versions.begin(), versions.end());
  std::ranges::sort(sorted, [](const std::string& a, const std::string& b) {
    return ::strverscmp(a.c_str(), b.c_str()) < 0;
  });
  if (sorted.size() > max_kernels) sorted.resize(max_kernels);
  return sorted;
}

}  // namespace

SystemFacts find_system_facts(const Filesystem& tree) {
  return {.architecture = find_architecture(tree),
          .hostname = find_hostname(tree),
          .init = find_init(tree),
          .kernels = find_kernels(tree),
          .packages = find_packages(tree)};
}

}  // namespace vmfs
