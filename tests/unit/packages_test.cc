// SPDX-License-Identifier: MIT
#include "fs/guest/packages.h"

#include <gtest/gtest.h>

#include "fs/guest/system.h"
#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

using testing::FakeFilesystem;

/// "MANAGER COUNT DATABASE" of each manager, a hyphen for what is absent.
std::string found(const FakeFilesystem& tree) {
  std::string text;
  for (const Packages& packages : find_packages(tree)) {
    if (!text.empty()) text += ", ";
    text += packages.manager + ' ' + (packages.count ? std::to_string(*packages.count) : "-");
    if (!packages.database.empty()) text += ' ' + packages.database;
  }
  return text;
}

TEST(PackagesTest, ATreeWithoutAnyHasNone) {
  EXPECT_EQ(found(FakeFilesystem().folder("/var/lib")), "");
}

TEST(PackagesTest, DpkgCountsWhatIsInstalled) {
  EXPECT_EQ(found(FakeFilesystem().file("/var/lib/dpkg/status",
                                        "Package: adduser\n"
                                        "Status: install ok installed\n"
                                        "Description: add users\n"
                                        " Status: install ok installed\n"
                                        "\n"
                                        "Package: held\n"
                                        "Status: hold ok installed\n"
                                        "\n"
                                        "Package: removed\n"
                                        "Status: deinstall ok config-files\n"
                                        "\n"
                                        "Package: half\n"
                                        "Status: install reinstreq half-installed\n"
                                        "\n"
                                        "Package: last\n"
                                        "Status: install ok installed")),
            "dpkg 3");
}

TEST(PackagesTest, AnEmptyDatabaseHasNoPackages) {
  EXPECT_EQ(found(FakeFilesystem().file("/var/lib/dpkg/status", "").file("/lib/apk/db/installed", "\n\n")),
            "dpkg 0, apk 0");
}

TEST(PackagesTest, ApkCountsNames) {
  EXPECT_EQ(found(FakeFilesystem().file("/lib/apk/db/installed",
                                        "C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\n"
                                        "P:alpine-baselayout\n"
                                        "V:3.4.3-r1\n"
                                        "T:P: in a description\n"
                                        "\n"
                                        "C:Q1B9vvKoBxHD4xE+pqlvsMWmV1uXY=\n"
                                        "P:busybox\n")),
            "apk 2");
  EXPECT_EQ(found(FakeFilesystem().link("/lib", "usr/lib").file("/usr/lib/apk/db/installed", "P:one\n")),
            "apk 1");
}

TEST(PackagesTest, PacmanHasADirectoryForEach) {
  EXPECT_EQ(found(FakeFilesystem()
                      .file("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n")
                      .file("/var/lib/pacman/local/bash-5.2-1/desc", "")
                      .file("/var/lib/pacman/local/zlib-1.3-1/desc", "")),
            "pacman 2");
}

TEST(PackagesTest, OfRpmTheNewestDatabaseCounts) {
  EXPECT_EQ(found(FakeFilesystem().file("/var/lib/rpm/Packages", "x")), "rpm - bdb");
  EXPECT_EQ(found(FakeFilesystem().file("/usr/lib/sysimage/rpm/Packages.db", "x")), "rpm - ndb");
  EXPECT_EQ(found(FakeFilesystem()
                      .file("/usr/share/rpm/rpmdb.sqlite", "no database")
                      .file("/var/lib/rpm/Packages", "x")),
            "rpm - sqlite");
}

TEST(PackagesTest, WhatCannotBeReadHasNoCount) {
  EXPECT_EQ(found(FakeFilesystem()
                      .folder("/var/lib/dpkg/status")
                      .folder("/usr/lib/sysimage/rpm/rpmdb.sqlite")
                      .folder("/lib/apk/db/installed")
                      .file("/var/lib/pacman/local", "a file")),
            "dpkg -, rpm - sqlite, apk -, pacman -");
}

TEST(PackagesTest, LinksLeadIntoTheGuestOnly) {
  EXPECT_EQ(found(FakeFilesystem()
                      .link("/var/lib/dpkg/status", "../../../../../../packages")
                      .file("/packages", "Status: install ok installed\n")),
            "dpkg 1");
  EXPECT_EQ(found(FakeFilesystem().link("/var/lib/dpkg/status", "status")), "");
}

TEST(SystemFactsTest, AHostnameIsTheFirstWordThatIsNoComment) {
  const auto hostname = [](std::string_view path, std::string text) {
    return find_system_facts(FakeFilesystem().file(path, std::move(text))).hostname;
  };
  EXPECT_EQ(hostname("/etc/hostname", "# comment\n\n  guest \n"), "guest");
  EXPECT_EQ(hostname("/etc/HOSTNAME", "elder.example"), "elder.example");
  EXPECT_EQ(hostname("/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=\"red\"\n"), "red");
  EXPECT_EQ(hostname("/etc/conf.d/hostname", "hostname='gentoo'\n"), "gentoo");
  EXPECT_EQ(hostname("/etc/hostname", "a\x1b[2Jb\n"), "a\\x1b[2Jb");
  EXPECT_EQ(hostname("/etc/hostname", ""), "");
}

TEST(SystemFactsTest, KernelsAreSortedAsVersions) {
  EXPECT_EQ(find_system_facts(FakeFilesystem()
                                  .folder("/lib/modules/6.10.1")
                                  .folder("/lib/modules/6.9.0-1-amd64")
                                  .folder("/lib/modules/extra")
                                  .file("/lib/modules/5.0", "a file")
                                  .file("/boot/vmlinuz-6.1.0-42-amd64", "")
                                  .file("/boot/vmlinuz-6.10.1", "")
                                  .file("/boot/vmlinuz-rescue", ""))
                .kernels,
            (std::vector<std::string>{"6.1.0-42-amd64", "6.9.0-1-amd64", "6.10.1"}));
}

TEST(SystemFactsTest, TheMachineIsThatOfAProgram) {
  const auto machine = [](unsigned char bits, unsigned char order, char low, char high) {
    std::string header(64, '\0');
    header.replace(0, 4, "\177ELF");
    header[4] = static_cast<char>(bits);
    header[5] = static_cast<char>(order);
    header[18] = low;
    header[19] = high;
    return find_system_facts(FakeFilesystem().file("/bin/sh", header)).architecture;
  };
  EXPECT_EQ(machine(2, 1, 62, 0), "x86_64");
  EXPECT_EQ(machine(1, 1, 62, 0), "x32");
  EXPECT_EQ(machine(2, 1, '\xb7', 0), "aarch64");
  EXPECT_EQ(machine(2, 2, 0, 22), "s390x");
  EXPECT_EQ(machine(2, 1, '\xff', '\xff'), "elf machine 65535");
  EXPECT_EQ(find_system_facts(FakeFilesystem().file("/bin/sh", "#!/bin/true\n")).architecture, "");
  EXPECT_EQ(find_system_facts(FakeFilesystem().file("/bin/sh", "\177ELF")).architecture, "");
}

TEST(SystemFactsTest, TheInitIsWhatSbinInitLeadsTo) {
  EXPECT_EQ(find_system_facts(FakeFilesystem()
                                  .file("/usr/lib/systemd/systemd", "")
                                  .link("/sbin/init", "/lib/systemd/systemd")
                                  .link("/lib", "usr/lib"))
                .init,
            "systemd");
  EXPECT_EQ(
      find_system_facts(FakeFilesystem().file("/bin/busybox", "").link("/sbin/init", "/bin/busybox")).init,
      "busybox");
  EXPECT_EQ(find_system_facts(FakeFilesystem().file("/sbin/init", "").file("/etc/inittab", "")).init,
            "sysvinit");
  EXPECT_EQ(find_system_facts(FakeFilesystem().file("/sbin/init", "")).init, "other");
  EXPECT_EQ(find_system_facts(FakeFilesystem().folder("/etc")).init, "");
}

}  // namespace
}  // namespace vmfs
