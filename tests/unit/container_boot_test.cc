// SPDX-License-Identifier: MIT
#include <algorithm>
#include <csignal>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/container/boot.h"
#include "launcher/container/stop.h"

namespace vmfs {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Caller caller = {.directory = "/",
                       .environment = {{"TERM", "xterm-256color"}},
                       .resolver = "",
                       .systemd_resolver = "",
                       .can_carry = false};

TEST(BootPlanTest, BootIsTheImagesInitWithAConsoleAndTheRightToPowerOff) {
  const auto plan = make_plan({.command = {"systemd.unit=rescue.target"}, .boot = true}, caller);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_TRUE(plan->boot);
  EXPECT_FALSE(plan->init);
  EXPECT_TRUE(has_terminal(*plan));
  EXPECT_EQ(plan->stop_signal, SIGRTMIN + 3);
  EXPECT_TRUE(plan->init_chooses_signal);
  EXPECT_EQ(plan->stop_timeout, std::chrono::seconds(90));
  EXPECT_EQ(plan->environment.at("TERM"), "dumb");
  EXPECT_EQ(plan->environment.at("container"), "vmfs");
  EXPECT_TRUE(plan->privileges.capabilities.contains(CAP_SYS_BOOT));
  EXPECT_FALSE(plan->privileges.capabilities.contains(CAP_SYS_ADMIN));
}

TEST(BootPlanTest, OnATerminalTheConsoleIsLikeIt) {
  const auto plan = make_plan({.terminal = true, .boot = true}, caller);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->environment.at("TERM"), "xterm-256color");
}

TEST(BootPlanTest, RightsCanBeTakenAway) {
  const auto plan = make_plan({.dropped_capabilities = {"ALL"}, .boot = true}, caller);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->privileges.capabilities.empty());
}

TEST(BootPlanTest, PlainCommandsEndBySigterm) {
  const auto plan = make_plan({.command = {"true"}}, caller);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->stop_signal, SIGTERM);
  EXPECT_FALSE(has_terminal(*plan));
  EXPECT_FALSE(plan->privileges.capabilities.contains(CAP_SYS_BOOT));
}

TEST(BootPlanTest, WhatContradictsAnInitIsRefused) {
  EXPECT_THAT(make_plan({.user = "daemon", .boot = true}, caller).error().what, HasSubstr("--user daemon"));
  EXPECT_THAT(make_plan({.entrypoint = "x", .boot = true}, caller).error().what, HasSubstr("--entrypoint"));
}

TEST(BootPlanTest, HowToStopCanBeSaid) {
  const auto plan = make_plan({.stop_signal = "USR1", .stop_timeout = 5, .boot = true}, caller);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->stop_timeout, std::chrono::seconds(5));
  EXPECT_EQ(plan->stop_signal, SIGUSR1);
  EXPECT_FALSE(plan->init_chooses_signal);
}

TEST(InitTest, KindIsToldByTheNameOfTheProgram) {
  EXPECT_EQ(kind_of_init("/usr/lib/systemd/systemd"), InitKind::systemd);
  EXPECT_EQ(kind_of_init("/usr/sbin/init"), InitKind::sysvinit);
  EXPECT_EQ(kind_of_init("/bin/busybox"), InitKind::busybox);
  EXPECT_EQ(kind_of_init("/sbin/openrc-init"), InitKind::openrc);
  EXPECT_EQ(kind_of_init("/sbin/runit-init"), InitKind::other);
}

TEST(InitTest, EachIsStoppedByItsOwnSignal) {
  EXPECT_EQ(stop_signal_of(InitKind::systemd), SIGRTMIN + 3);
  EXPECT_EQ(stop_signal_of(InitKind::sysvinit), SIGPWR);
  EXPECT_EQ(stop_signal_of(InitKind::busybox), SIGUSR2);
  EXPECT_EQ(stop_signal_of(InitKind::openrc), SIGTERM);
  EXPECT_EQ(stop_signal_of(InitKind::other), SIGTERM);
}

TEST(MaskTest, WhatWaitsForDevicesOrDrivesThemIsMasked) {
  const auto units = masked_units();
  for (const std::string unit : {"systemd-udev-trigger.service", "systemd-fsck@.service", "getty@.service",
                                 "systemd-remount-fs.service", "systemd-modules-load.service",
                                 "sys-kernel-debug.mount", "systemd-networkd.service", "networking.service",
                                 "systemd-resolved.service", "NetworkManager.service"}) {
    EXPECT_THAT(units, Contains(unit));
  }
  EXPECT_THAT(units, Not(Contains(std::string("console-getty.service"))));
}

TEST(MaskTest, NamesAreUnitsAndThereOnce) {
  std::set<std::string> seen;
  for (const std::string unit : masked_units()) {
    EXPECT_TRUE(seen.insert(unit).second) << unit;
    EXPECT_FALSE(unit.contains('/')) << unit;
    EXPECT_TRUE(unit.contains('.')) << unit;
  }
}

TEST(MaskTest, LoginPromptsComeWithATerminalOnly) {
  EXPECT_THAT(masked_generators(false), Contains("systemd-getty-generator"));
  EXPECT_THAT(masked_generators(true), Not(Contains("systemd-getty-generator")));
  EXPECT_THAT(masked_generators(true), Contains("systemd-gpt-auto-generator"));
}

TEST(MountUnitTest, NamesAreEscapedPaths) {
  EXPECT_EQ(mount_unit_of("/run/lock"), "run-lock.mount");
  EXPECT_EQ(mount_unit_of("/my data/a-b"), "my\\x20data-a\\x2db.mount");
  EXPECT_EQ(mount_unit_of("/.x/.y"), "\\x2ex-.y.mount");
  EXPECT_EQ(mount_unit_of("/"), "-.mount");
}

TEST(InittabTest, SysvinitHasNoLoginPromptsAndShutsDownWhenPowerFails) {
  EXPECT_EQ(inittab_for("# getty\nid:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n"
                        "1:2345:respawn:/sbin/getty --noclear 38400 tty1\n"
                        "T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100\n"
                        "co:2345:respawn:/sbin/getty console\n"
                        "pf::powerwait:/etc/init.d/powerfail start\n",
                        InitKind::sysvinit),
            "# getty\nid:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n"
            "co:2345:respawn:/sbin/getty console\n"
            "vmfs::powerfail:/sbin/init 0\n");
}

TEST(InittabTest, BusyboxKeepsAllButLoginPrompts) {
  EXPECT_EQ(inittab_for("::sysinit:/sbin/openrc sysinit\ntty1::respawn:/sbin/getty 38400 tty1\n"
                        "::shutdown:/sbin/openrc shutdown\n",
                        InitKind::busybox),
            "::sysinit:/sbin/openrc sysinit\n::shutdown:/sbin/openrc shutdown\n");
}

TEST(InittabTest, StrangeLinesStay) {
  EXPECT_EQ(inittab_for("respawn getty\n:::\na:b:respawn\n", InitKind::busybox),
            "respawn getty\n:::\na:b:respawn\n");
  EXPECT_EQ(inittab_for("", InitKind::busybox), "");
}

TEST(MachineIdTest, IsThirtyTwoHexadecimalDigits) {
  EXPECT_TRUE(is_machine_id("0123456789abcdef0123456789abcdef\n"));
  EXPECT_TRUE(is_machine_id("0123456789abcdef0123456789abcdef"));
  EXPECT_FALSE(is_machine_id(""));
  EXPECT_FALSE(is_machine_id("uninitialized\n"));
  EXPECT_FALSE(is_machine_id("0123456789ABCDEF0123456789abcdef\n"));
  EXPECT_FALSE(is_machine_id("00000000000000000000000000000000\n"));
  EXPECT_FALSE(is_machine_id("0123456789abcdef0123456789abcdef\n\n"));
}

TEST(MachineIdTest, IsAUuidWithHyphens) {
  EXPECT_EQ(uuid_of("0123456789abcdef0123456789abcdef"), "01234567-89ab-cdef-0123-456789abcdef");
}

// SIGTERM is bit 14, SIGRTMIN + 3 (37) is bit 36.
TEST(StopTest, AnInitAwaitsWhatItCatchesOrBlocks) {
  EXPECT_TRUE(awaits_signal("Name:\tinit\nSigBlk:\t0000001000000000\nSigCgt:\t0000000000000000\n", 37));
  EXPECT_TRUE(awaits_signal("Name:\tinit\nSigBlk:\t0000000000000000\nSigCgt:\t0000000000004000\n", SIGTERM));
  EXPECT_FALSE(awaits_signal("Name:\tinit\nSigBlk:\t0000000000000000\nSigCgt:\t0000000000004000\n", 37));
}

TEST(StopTest, NobodyAwaitsASignalBeforeTheInitRuns) {
  EXPECT_FALSE(awaits_signal("Name:\tvmfs-init\nSigBlk:\tffffffffffffffff\nSigCgt:\t0000000000000000\n", 37));
  EXPECT_FALSE(awaits_signal("Name:\tvmfs\nSigBlk:\tffffffffffffffff\nSigCgt:\t0000000000000000\n", 37));
  EXPECT_FALSE(awaits_signal("", 37));
}

TEST(StopTest, WaitsForEverUntilItIsRequested) {
  const Stop::Clock::time_point start{};
  Stop stop(SIGTERM, std::chrono::seconds(2));
  EXPECT_EQ(stop.wait_time(start), -1);
  stop.request(start);
  EXPECT_EQ(stop.wait_time(start), 50);
  EXPECT_EQ(stop.wait_time(start + std::chrono::milliseconds(1999)), 1);
  EXPECT_EQ(stop.wait_time(start + std::chrono::seconds(3)), 0);
}

TEST(StopTest, TheSecondRequestIsDueAtOnce) {
  const Stop::Clock::time_point start{};
  Stop stop(SIGTERM, std::chrono::seconds(2));
  stop.request(start);
  stop.request(start + std::chrono::seconds(1));
  EXPECT_EQ(stop.wait_time(start + std::chrono::seconds(1)), 0);
}

}  // namespace
}  // namespace vmfs
