// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/container/cgroup.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* unified =
    "22 1 0:20 / / rw - ext4 /dev/vda rw\n"
    "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* hybrid =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(CgroupTest, OwnGroupIsBelowTheMountOfVersion2) {
  EXPECT_EQ(own_group(unified, "0::/user.slice/user-1000.slice/session-3.scope\n"),
            "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope");
  EXPECT_EQ(own_group(unified, "0::/\n"), "/sys/fs/cgroup");
}

TEST(CgroupTest, OwnGroupOfAHybridMachineIsTheOneOfVersion2) {
  EXPECT_EQ(own_group(hybrid, "4:memory:/x\n1:cpu:/\n0::/mine\n"), "/sys/fs/cgroup/unified/mine");
}

TEST(CgroupTest, OwnGroupIsSeenFromTheRootOfTheMount) {
  constexpr const char* part = "41 31 0:38 /docker/1 /cg rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(own_group(part, "0::/docker/1/sub\n"), "/cg/sub");
  EXPECT_EQ(own_group(part, "0::/docker/1\n"), "/cg");
  EXPECT_EQ(own_group(part, "0::/docker/12\n"), std::nullopt);
}

TEST(CgroupTest, OwnGroupOutsideOfTheNamespaceIsNone) {
  EXPECT_EQ(own_group(unified, "0::/../other\n"), std::nullopt);
}

TEST(CgroupTest, OwnGroupOfAMachineWithoutVersion2IsNone) {
  EXPECT_EQ(own_group("35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/\n"),
            std::nullopt);
  EXPECT_EQ(own_group("", ""), std::nullopt);
  EXPECT_EQ(own_group("garbage - \n- - -\n", "0::/\n"), std::nullopt);
}

TEST(CgroupTest, MountPointsAreUnescaped) {
  EXPECT_EQ(own_group("41 31 0:38 / /my\\040groups\\134 rw - cgroup2 none rw\n", "0::/a\n"),
            "/my groups\\/a");
}

TEST(CgroupTest, ControllersOfVersion1AreKnown) {
  EXPECT_TRUE(is_bound_to_version_1(hybrid, "memory"));
  EXPECT_TRUE(is_bound_to_version_1(hybrid, "cpu"));
  EXPECT_FALSE(is_bound_to_version_1(hybrid, "pids"));
  EXPECT_FALSE(is_bound_to_version_1(unified, "memory"));
}

TEST(CgroupTest, TheLeafOfTheCallersStandsForTheGroupAboveIt) {
  EXPECT_EQ(group_to_divide("/cg/a/vmfs-callers"), "/cg/a");
  EXPECT_EQ(group_to_divide("/cg/a"), "/cg/a");
  EXPECT_EQ(group_to_divide("/cg/xvmfs-callers"), "/cg/xvmfs-callers");
}

TEST(CgroupTest, NoLimitsAreNoSettings) {
  EXPECT_THAT(settings_of({}), IsEmpty());
}

TEST(CgroupTest, LimitsAreTheKernelsFilesAndValues) {
  EXPECT_THAT(
      settings_of({.memory = 536870912, .cpu_thousandths = 1500, .processes = 100}),
      ElementsAre(
          GroupSetting{
              .controller = "memory", .file = "memory.max", .value = "536870912", .option = "--memory"},
          GroupSetting{.controller = "memory", .file = "memory.swap.max", .value = "536870912", .option = ""},
          GroupSetting{.controller = "cpu", .file = "cpu.max", .value = "150000 100000", .option = "--cpus"},
          GroupSetting{.controller = "pids", .file = "pids.max", .value = "100", .option = "--pids-limit"}));
}

TEST(CgroupTest, EachLimitIsItsOwnControllersAlone) {
  EXPECT_THAT(settings_of({.memory = 0, .cpu_thousandths = 10, .processes = 0}),
              ElementsAre(GroupSetting{
                  .controller = "cpu", .file = "cpu.max", .value = "1000 100000", .option = "--cpus"}));
  EXPECT_THAT(settings_of({.memory = 0, .cpu_thousandths = 0, .processes = 4194304}),
              ElementsAre(GroupSetting{
                  .controller = "pids", .file = "pids.max", .value = "4194304", .option = "--pids-limit"}));
  EXPECT_THAT(settings_of({.memory = std::uint64_t{1} << 62, .cpu_thousandths = 0, .processes = 0}),
              ElementsAre(::testing::Field(&GroupSetting::value, "4611686018427387904"),
                          ::testing::Field(&GroupSetting::file, "memory.swap.max")));
}

TEST(CgroupTest, AMissingControllerIsNamedWithWhatToDo) {
  const GroupSetting memory = settings_of({.memory = 1, .cpu_thousandths = 0, .processes = 0}).front();
  const Error delegated = missing_controller(memory, "/cg/mine", {"cpu", "pids"}, unified);
  EXPECT_EQ(delegated.code, EOPNOTSUPP);
  EXPECT_THAT(delegated.what,
              ::testing::StartsWith(
                  "--memory: the cgroup /cg/mine has no memory controller to give (it has cpu pids); "));
  EXPECT_THAT(delegated.what, HasSubstr("Delegate="));
  const Error bound = missing_controller(memory, "/cg/mine", {}, hybrid);
  EXPECT_THAT(bound.what, HasSubstr("(it has none)"));
  EXPECT_THAT(bound.what, HasSubstr("systemd.unified_cgroup_hierarchy=1"));
}

TEST(CgroupTest, OnlyLimitsAndInitsWantAGroup) {
  EXPECT_FALSE(wants_group({}, false));
  EXPECT_TRUE(wants_group({}, true));
  EXPECT_TRUE(wants_group({.memory = 0, .cpu_thousandths = 0, .processes = 1}, false));
}

struct Words {
  const char* text;
  std::uint64_t value;
};

class MemoryTest : public ::testing::TestWithParam<Words> {};

TEST_P(MemoryTest, IsInPodmansUnits) {
  const auto limits = parse_limits({.memory = GetParam().text});
  ASSERT_TRUE(limits) << limits.error().what;
  EXPECT_EQ(limits->memory, GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(Limits, MemoryTest,
                         ::testing::Values(Words{"4096", 4096}, Words{"1b", 1}, Words{"2k", 2048},
                                           Words{"512m", 536870912}, Words{"1.5g", 1610612736},
                                           Words{"1G", 1073741824}, Words{"1GiB", 1073741824},
                                           Words{"2mb", 2097152}, Words{"0", 0}, Words{"0.5k", 512},
                                           Words{"4096p", std::uint64_t{1} << 62}));

class BadMemoryTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BadMemoryTest, IsRefusedWithTheOption) {
  const auto limits = parse_limits({.memory = GetParam()});
  ASSERT_FALSE(limits);
  EXPECT_THAT(limits.error().what, HasSubstr("--memory "));
}

INSTANTIATE_TEST_SUITE_P(Limits, BadMemoryTest,
                         ::testing::Values("m", "-1", "1x", "1mm", "1e9", "1.2.3", " 1", "99999999p", "0x10",
                                           "4097p", ".", "1 g", "+1", "infinity", "1\n"));

TEST(LimitsTest, ProcessorsAreThousandths) {
  EXPECT_EQ(parse_limits({.processors = "1.5"})->cpu_thousandths, 1500U);
  EXPECT_EQ(parse_limits({.processors = "0.01"})->cpu_thousandths, 10U);
  EXPECT_EQ(parse_limits({.processors = "0"})->cpu_thousandths, 0U);
  EXPECT_FALSE(parse_limits({.processors = "0.001"}));
  EXPECT_FALSE(parse_limits({.processors = "-2"}));
  EXPECT_FALSE(parse_limits({.processors = "two"}));
  EXPECT_EQ(parse_limits({.processors = "1000000"})->cpu_thousandths, 1'000'000'000U);
  EXPECT_FALSE(parse_limits({.processors = "1000001"}));
  EXPECT_FALSE(parse_limits({.processors = "nan"}));
  EXPECT_THAT(parse_limits({.processors = "1.5.1"}).error().what, HasSubstr("--cpus 1.5.1: "));
}

TEST(LimitsTest, ProcessesAreANumberOrAny) {
  EXPECT_EQ(parse_limits({.processes = "100"})->processes, 100U);
  EXPECT_EQ(parse_limits({.processes = "-1"})->processes, 0U);
  EXPECT_EQ(parse_limits({.processes = "0"})->processes, 0U);
  EXPECT_EQ(parse_limits({.processes = "4194304"})->processes, 4194304U);
  EXPECT_FALSE(parse_limits({.processes = "4194305"}));
  EXPECT_THAT(parse_limits({.processes = ""}).value(), Limits{});
  EXPECT_FALSE(parse_limits({.processes = "-2"}));
  EXPECT_FALSE(parse_limits({.processes = "1k"}));
  EXPECT_FALSE(parse_limits({.processes = "99999999999999999999"}));
}

}  // namespace
}  // namespace vmfs
