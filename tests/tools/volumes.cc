// SPDX-License-Identifier: MIT
// Shows what is found on raw images, to be compared with sfdisk and blkid:
//   volumes identify FILE...   FILE, type and usage ("-" where nothing is known)
//   volumes table FILE         kind, id and sector size, then a line a partition
//   volumes choose FILE [NAME] the volume that is shown and its operating system
#include <cstdio>
#include <string_view>

#include "formats/host_file.h"
#include "formats/partition/partition_table.h"
#include "fs/guest/guest.h"
#include "fs/registry.h"

namespace {

using namespace vmfs;

int complain(const char* path, const Error& error) {
  fmt::print(stderr, "{}: {} (errno {})\n", path, error.what, error.code);
  return 1;
}

int identify(const char* path) {
  const auto file = HostFile::open(path);
  if (!file) return complain(path, file.error());
  const auto identity = identify_volume(**file);
  if (!identity) return complain(path, identity.error());
  fmt::print("{} {} {}\n", path, *identity ? (*identity)->type : "-", *identity ? (*identity)->usage : "-");
  return 0;
}

int show_table(const char* path) {
  const auto file = HostFile::open(path);
  if (!file) return complain(path, file.error());
  const auto table = read_partition_table(
      **file, [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); });
  if (!table) return complain(path, table.error());
  if (!*table) {
    fmt::print("none\n");
    return 0;
  }
  fmt::print("{} {} {}\n", (*table)->kind, (*table)->id, (*table)->sector_size);
  for (const Partition& partition : (*table)->partitions) {
    fmt::print("{} {} {} {} {} {}\n", partition.number, partition.offset, partition.size, partition.type,
               partition.uuid, partition.name);
  }
  return 0;
}

int choose(const char* path, const char* wanted) {
  const auto file = HostFile::open(path);
  if (!file) return complain(path, file.error());
  const FilesystemOptions options{
      .recover = true, .warn = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); }};
  const auto disk = open_disk(*file, options);
  if (!disk) return complain(path, disk.error());
  const auto volume = choose_volume(*disk, wanted, options.warn);
  if (!volume) return complain(path, volume.error());
  const auto os = find_operating_system(*(*volume)->filesystem);
  fmt::print("{} {} {}\n", (*volume)->name, (*volume)->identity->type, os && *os ? (*os)->pretty_name : "-");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 2 ? argv[1] : "";
  if (verb == "table" && argc == 3) return show_table(argv[2]);
  if (verb == "choose" && argc <= 4) return choose(argv[2], argc == 4 ? argv[3] : "");
  if (verb != "identify") {
    fmt::print(stderr, "usage: volumes identify FILE... | volumes table FILE | volumes choose FILE [NAME]\n");
    return 2;
  }
  int status = 0;
  for (int i = 2; i < argc; ++i) status |= identify(argv[i]);
  return status;
}
