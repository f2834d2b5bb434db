// SPDX-License-Identifier: MIT
#include <sys/mount.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/container/plan.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const Caller caller = {.directory = "/work/dir",
                       .environment = {{"TERM", "vt100"}, {"SECRET", "1"}, {"LC_A", "a"}, {"LC_B", "b"}},
                       .resolver = "nameserver 10.0.0.1\n",
                       .systemd_resolver = "",
                       .can_carry = false};

TEST(PlanTest, DefaultsAreARootShellInTheRootWithNothingOfTheCaller) {
  const auto plan = make_plan({}, caller);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->command, IsEmpty());
  EXPECT_THAT(
      plan->environment,
      UnorderedElementsAre(Pair("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                           Pair("container", "vmfs"), Pair("TERM", "vt100")));
  EXPECT_EQ(plan->user, "0");
  EXPECT_EQ(plan->workdir, "/");
  EXPECT_EQ(plan->network.resolver, "nameserver 10.0.0.1\n");
  EXPECT_EQ(plan->privileges.capabilities, default_capabilities());
  EXPECT_TRUE(plan->init);
}

TEST(PlanTest, TerminalWithoutACallersTermIsAnXterm) {
  const auto plan = make_plan(
      {.terminal = true},
      {.directory = "/", .environment = {}, .resolver = "", .systemd_resolver = "", .can_carry = false});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->environment.at("TERM"), "xterm");
}

TEST(PlanTest, LaterVariablesWinAndOptionsGoBeforeFiles) {
  const auto plan = make_plan(
      {.environment = {"A=3", "B=x=y", "PATH=/bin"}, .environment_files = {"A=1\n # c\nC=c d\r\n", "A=2"}},
      caller);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->environment.at("A"), "3");
  EXPECT_EQ(plan->environment.at("B"), "x=y");
  EXPECT_EQ(plan->environment.at("C"), "c d");
  EXPECT_EQ(plan->environment.at("PATH"), "/bin");
}

TEST(PlanTest, NamesAloneTakeTheCallersValue) {
  const auto plan = make_plan({.environment = {"SECRET", "ABSENT", "LC_*"}}, caller);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->environment.at("SECRET"), "1");
  EXPECT_EQ(plan->environment.at("LC_A"), "a");
  EXPECT_EQ(plan->environment.at("LC_B"), "b");
  EXPECT_FALSE(plan->environment.contains("ABSENT"));
}

TEST(PlanTest, EntrypointGoesBeforeTheCommand) {
  EXPECT_THAT(make_plan({.command = {"a"}, .entrypoint = "/e x"}, caller)->command, ElementsAre("/e x", "a"));
  EXPECT_THAT(make_plan({.command = {"a"}, .entrypoint = R"(["e", "x y"])"}, caller)->command,
              ElementsAre("e", "x y", "a"));
}

TEST(PlanTest, OverlayIsSeenFromTheWorkingDirectory) {
  EXPECT_EQ(make_plan({.overlay = "changes"}, caller)->overlay, "/work/dir/changes");
  EXPECT_EQ(make_plan({.overlay = "/changes"}, caller)->overlay, "/changes");
}

TEST(PlanTest, WhatContradictsItselfIsRefused) {
  EXPECT_EQ(make_plan({.overlay = "x", .read_only = true}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.volumes = {"/a:/x"}, .memory_folders = {"/x"}}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.workdir = "x"}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.hostname = "-"}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.entrypoint = "[1]"}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.entrypoint = "[\"a\""}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.environment = {"=x"}}, caller).error().code, EINVAL);
  EXPECT_EQ(make_plan({.command = {""}}, caller).error().code, EINVAL);
}

TEST(SharedPathTest, KnowsReadOnlyAndRelativeSources) {
  EXPECT_EQ(*parse_shared_path("/a:/b", "/w"), (SharedPath{"/a", "/b", false}));
  EXPECT_EQ(*parse_shared_path("./a:/b/:ro,Z", "/w"), (SharedPath{"/w/./a", "/b", true}));
  EXPECT_EQ(*parse_shared_path("/a:/b/../c//d", "/w"), (SharedPath{"/a", "/c/d", false}));
}

TEST(SharedPathTest, RefusesWhatItCannotMean) {
  EXPECT_THAT(parse_shared_path("/a", "/w").error().what, HasSubstr("SRC:DST"));
  EXPECT_THAT(parse_shared_path("/a:/b:ro:x", "/w").error().what, HasSubstr("SRC:DST"));
  EXPECT_THAT(parse_shared_path("a:/b", "/w").error().what, HasSubstr("./a"));
  EXPECT_THAT(parse_shared_path("/a:b", "/w").error().what, HasSubstr("absolute"));
  EXPECT_THAT(parse_shared_path("/a:", "/w").error().what, HasSubstr("absolute"));
  EXPECT_THAT(parse_shared_path("/a:/b:exec", "/w").error().what, HasSubstr("exec"));
  EXPECT_THAT(parse_shared_path("/a:/", "/w").error().what, HasSubstr("container's own"));
  EXPECT_THAT(parse_shared_path("/a:/x/../proc/sys", "/w").error().what, HasSubstr("container's own"));
}

TEST(MemoryFolderTest, IsWithoutProgramsAndDevicesUnlessAsked) {
  constexpr std::uint64_t usual = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  EXPECT_EQ(*parse_memory_folder("/m"), (MemoryFolder{"/m", {}, usual}));
  EXPECT_EQ(*parse_memory_folder("/m:exec,size=1m,ro"),
            (MemoryFolder{"/m", {{"size", "1m"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY}));
  EXPECT_EQ(parse_memory_folder("/m:source=x").error().code, EINVAL);
  EXPECT_EQ(parse_memory_folder("m").error().code, EINVAL);
}

TEST(PrivilegesTest, NamesAreTakenInAnyForm) {
  const auto privileges =
      parse_privileges({.added_capabilities = {"CAP_NET_RAW,sys_time"}, .dropped_capabilities = {"Chown"}});
  ASSERT_TRUE(privileges);
  EXPECT_TRUE(privileges->capabilities.contains(CAP_NET_RAW));
  EXPECT_TRUE(privileges->capabilities.contains(CAP_SYS_TIME));
  EXPECT_FALSE(privileges->capabilities.contains(CAP_CHOWN));
  EXPECT_THAT(privileges->ambient, UnorderedElementsAre(CAP_NET_RAW, CAP_SYS_TIME));
}

TEST(PrivilegesTest, NameGoesBeforeAll) {
  EXPECT_THAT(
      parse_privileges({.added_capabilities = {"kill"}, .dropped_capabilities = {"all"}})->capabilities,
      UnorderedElementsAre(CAP_KILL));
  const auto most = parse_privileges({.added_capabilities = {"ALL"}, .dropped_capabilities = {"kill"}});
  EXPECT_FALSE(most->capabilities.contains(CAP_KILL));
  EXPECT_TRUE(most->capabilities.contains(CAP_SYS_ADMIN));
}

TEST(PrivilegesTest, SecurityOptionsAsPodmans) {
  EXPECT_TRUE(parse_privileges({.security = {"no-new-privileges"}})->no_new_privileges);
  EXPECT_TRUE(parse_privileges({.security = {"no-new-privileges:true"}})->no_new_privileges);
  EXPECT_FALSE(parse_privileges({.security = {"no-new-privileges=false"}})->no_new_privileges);
  EXPECT_FALSE(parse_privileges({.security = {"seccomp=unconfined"}})->seccomp);
  EXPECT_FALSE(parse_privileges({.security = {"unmask=ALL"}})->masks);
  EXPECT_TRUE(parse_privileges({.security = {"label=disable"}}));
  EXPECT_EQ(parse_privileges({.security = {"seccomp=/file"}}).error().code, EINVAL);
  EXPECT_EQ(parse_privileges({.added_capabilities = {"nonesuch"}}).error().code, EINVAL);
}

const Caller networked = {.directory = "/",
                          .environment = {},
                          .resolver = "nameserver 127.0.0.53\n",
                          .systemd_resolver = "",
                          .can_carry = true};

TEST(NetworkTest, IsPastaWhereThatIsInstalled) {
  const auto network = parse_network({}, networked);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->kind, Network::Kind::pasta);
  EXPECT_FALSE(network->required);
  EXPECT_EQ(network->resolver, "nameserver 169.254.1.1\n");
}

TEST(NetworkTest, IsNoneWhereItIsNotUnlessAskedFor) {
  EXPECT_EQ(parse_network({}, caller)->kind, Network::Kind::none);
  EXPECT_EQ(parse_network({.network = "pasta"}, caller).error().code, ENOENT);
  EXPECT_EQ(parse_network({.ports = {"80:80"}}, caller).error().code, ENOENT);
}

TEST(NetworkTest, HostHasTheMachinesResolvers) {
  EXPECT_EQ(parse_network({.network = "host"}, networked)->resolver, "nameserver 127.0.0.53\n");
}

TEST(NetworkTest, PortsAreTranslatedForPasta) {
  const auto network =
      parse_network({.ports = {"8080:80", "127.0.0.1:53:5353/udp", "[::1]:1-3:4-6/tcp", "90"}}, networked);
  ASSERT_TRUE(network);
  EXPECT_TRUE(network->required);
  EXPECT_THAT(network->tcp, ElementsAre("8080:80", "::1/1-3:4-6", "90:90"));
  EXPECT_THAT(network->udp, ElementsAre("127.0.0.1/53:5353"));
}

TEST(NetworkTest, BadPortsAreRefused) {
  EXPECT_FALSE(parse_network({.ports = {"0:80"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {"80:65536"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {"1-2:1-3"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {"2-1:2-1"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {"80:80/sctp"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {":80"}}, networked));
  EXPECT_FALSE(parse_network({.ports = {""}}, networked));
  EXPECT_FALSE(parse_network({.network = "none", .ports = {"80:80"}}, networked));
}

TEST(SplitWordsTest, KeepsEmptyPartsBetweenSeparators) {
  EXPECT_THAT(split_words("a::b:", ':'), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split_words("", ':'), IsEmpty());
}

}  // namespace
}  // namespace vmfs
