// SPDX-License-Identifier: MIT
#include "tests/unit/ext4_image.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include <gtest/gtest.h>

namespace vmfs::test {

Ext4Image::Ext4Image(const std::string& options, const std::string& size,
                     const std::function<void(const std::filesystem::path&)>& fill) {
  std::string name = (std::filesystem::temp_directory_path() / "vmfs-ext4-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder " << name;
  folder_ = name;
  std::filesystem::create_directory(folder_ / "files");
  fill(folder_ / "files");
  run(fmt::format("mke2fs -q -F {} -d files image {}", options, size));
}

Ext4Image::~Ext4Image() {
  std::filesystem::remove_all(folder_);
}

void Ext4Image::debugfs(const std::string& command) {
  std::ofstream(folder_ / "commands") << command << '\n';
  run("debugfs -w -f commands image");
}

void Ext4Image::run(const std::string& command) const {
  (void)output_of(command);
}

std::string Ext4Image::output_of(const std::string& command) const {
  const std::string line =
      fmt::format("cd {} && PATH=$PATH:/sbin:/usr/sbin && {} 2>&1", folder_.string(), command);
  FILE* pipe = popen(line.c_str(), "r");  // NOLINT(cert-env33-c): the tools under test are command lines
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << line;
    return {};
  }
  std::string output;
  std::array<char, 4096> buffer{};
  while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
  EXPECT_EQ(pclose(pipe), 0) << line << '\n' << output;
  return output;
}

std::vector<std::byte>& Ext4Image::bytes() {
  if (!bytes_.empty()) return bytes_;
  std::ifstream file(folder_ / "image", std::ios::binary);
  bytes_.resize(std::filesystem::file_size(folder_ / "image"));
  file.read(reinterpret_cast<char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
  return bytes_;
}

std::shared_ptr<const Source> Ext4Image::source() {
  return std::make_shared<MemorySource>(bytes());
}

Result<std::shared_ptr<const Filesystem>> Ext4Image::open(bool recover) {
  FilesystemOptions options;
  options.recover = recover;
  options.warn = [this](const std::string& line) { warnings.push_back(line); };
  return open_filesystem(source(), options);
}

Inode resolve(const Filesystem& filesystem, const std::string& path) {
  Inode inode = filesystem.root();
  std::istringstream parts(path);
  for (std::string name; std::getline(parts, name, '/');) {
    const auto found = filesystem.lookup(inode, name);
    if (!found) {
      ADD_FAILURE() << path << ": " << found.error().what;
      return inode;
    }
    inode = *found;
  }
  return inode;
}

std::vector<std::string> names_in(const Filesystem& filesystem, Inode directory) {
  std::vector<std::string> names;
  const auto done = filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  if (!done) names.push_back("error: " + done.error().what);
  return names;
}

std::string contents_of(const Filesystem& filesystem, const std::string& path) {
  const auto file = filesystem.open(resolve(filesystem, path));
  if (!file) return "error: " + file.error().what;
  std::string text((*file)->size(), '\0');
  const auto done = read(**file, 0, std::as_writable_bytes(std::span(text)));
  return done ? text : "error: " + done.error().what;
}

}  // namespace vmfs::test
