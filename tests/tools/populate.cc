// SPDX-License-Identifier: MIT
// Fills a mounted, writable file system with one file of every kind that readers get wrong: the zoo. What a
// file system cannot hold (a large attribute, a huge file) is left out; every other failure ends the program.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace {

using namespace std::string_literals;

/// Ends the program unless the call succeeded or failed for one of the reasons that are allowed.
/// Returns whether it succeeded.
bool must(long result, const std::string& what, std::initializer_list<int> allowed = {}) {
  if (result >= 0) return true;
  const int code = errno;
  for (const int one : allowed) {
    if (code == one) return false;
  }
  fmt::print(stderr, "populate: {}: {}\n", what, std::strerror(code));  // NOLINT(concurrency-mt-unsafe)
  std::exit(1);                                                         // NOLINT(concurrency-mt-unsafe)
}

/// Bytes that repeat in no block and are the same in every run.
std::string noise(std::size_t length, std::uint32_t seed) {
  std::mt19937 engine(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes every time are the point
  std::string bytes(length, '\0');
  for (char& byte : bytes) byte = static_cast<char>(engine() >> 24U);
  return bytes;
}

/// An open file that is closed at the end.
class File {
 public:
  explicit File(const std::string& path, int flags = O_RDWR | O_CREAT | O_CLOEXEC)
      : path_(path), fd_(::open(path.c_str(), flags, 0644)) {
    must(fd_, path);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool write(const std::string& bytes, std::uint64_t offset) const {
    return must(::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)), path_, {EFBIG});
  }
  void allocate(int mode, std::uint64_t offset, std::uint64_t length) const {
    must(::fallocate(fd_, mode, static_cast<off_t>(offset), static_cast<off_t>(length)), path_, {EOPNOTSUPP});
  }
  bool truncate(std::uint64_t length) const {
    return must(::ftruncate(fd_, static_cast<off_t>(length)), path_, {EFBIG});
  }
  void sync() const { must(::fsync(fd_), path_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const std::string path_;
  const int fd_;
};

void make(const std::string& path, const std::string& content) {
  const File file(path);
  if (!content.empty()) file.write(content, 0);
}

void make_directory(const std::string& path) {
  must(::mkdir(path.c_str(), 0755), path);
}

void set(const std::string& path, const std::string& name, const std::string& value) {
  must(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0), path + " " + name,
       {ENOSPC, E2BIG, ERANGE});
}

void sizes(const std::string& root) {
  make_directory(root + "/sizes");
  for (const std::size_t size : std::initializer_list<std::size_t>{
           0,    1,    59,   60,   61,   100,   156,   157,   160,   400,     900,    1023,
           1024, 1025, 4095, 4096, 4097, 12288, 12289, 65536, 70000, 1048576, 1300001}) {
    make(fmt::format("{}/sizes/{}", root, size), noise(size, static_cast<std::uint32_t>(size)));
  }
}

void holes(const std::string& root) {
  make_directory(root + "/holes");
  const std::string block = noise(4096, 1);
  const auto path = [&](const char* name) { return fmt::format("{}/holes/{}", root, name); };
  File(path("only-hole")).truncate(3'000'000);
  File(path("hole-then-byte")).write("x", 999'999);
  const File tail(path("data-then-hole"));
  tail.write(block, 0);
  tail.truncate(777'777);
  const File islands(path("islands"));
  for (std::uint64_t offset = 0; offset < 2'000'000; offset += 65536) islands.write(block, offset);
  const File unwritten(path("unwritten"));
  unwritten.allocate(0, 0, 500'000);
  unwritten.write(block, 131'072);
  const File behind(path("allocated-behind-end"));
  behind.write(block, 0);
  behind.allocate(FALLOC_FL_KEEP_SIZE, 0, 300'000);
  const File punched(path("punched"));
  punched.write(noise(400'000, 2), 0);
  punched.sync();
  punched.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40'960, 81'920);
  punched.allocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 163'840, 40'960);
}

/// A little data at the end of files as large as the file system allows.
void huge(const std::string& root) {
  make_directory(root + "/huge");
  const std::string block = noise(4096, 3);
  constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
  for (const std::uint64_t size :
       std::initializer_list<std::uint64_t>{1, 2, 5, 16, 600, 2040, 4000, 9000, 16000}) {
    const std::string path = fmt::format("{}/huge/{}GiB", root, size);
    const File file(path);
    if (!file.write(block, size * gib - 6000)) must(::unlink(path.c_str()), path);
  }
  const File scattered(root + "/huge/scattered");
  scattered.write(block, 0);
  scattered.write(block, 49'152);
  scattered.write(block, 5 << 20U);
  scattered.write(block, gib + 4096);
  scattered.write(block, 5 * gib);
}

/// A file of `count` extents: every second block is there.
void fragments(const std::string& root, std::uint64_t count) {
  struct statvfs space{};
  must(::statvfs(root.c_str(), &space), root);
  const std::uint64_t unit = space.f_bsize;
  const File file(fmt::format("{}/fragments-{}", root, count));
  for (std::uint64_t i = 0; i < count; ++i) {
    file.write(noise(unit, static_cast<std::uint32_t>(i)), 2 * i * unit);
  }
}

void times(const std::string& root) {
  make_directory(root + "/times");
  constexpr std::int64_t two_to_31 = std::int64_t{1} << 31U;
  for (const std::int64_t second :
       {-two_to_31 - 5, -two_to_31, -two_to_31 / 2, std::int64_t{-1}, std::int64_t{0}, two_to_31 - 1,
        two_to_31, 2 * two_to_31 - 1, 2 * two_to_31, 3 * two_to_31, 4 * two_to_31, 5 * two_to_31 + 7,
        std::int64_t{0x37fffffff}}) {
    for (const long nanosecond : {0L, 1L, 999'999'999L}) {
      const std::string path = fmt::format("{}/times/{}.{:09}", root, second, nanosecond);
      make(path, "");
      const std::array<timespec, 2> both{timespec{.tv_sec = second, .tv_nsec = 123'456'789},
                                         timespec{.tv_sec = second, .tv_nsec = nanosecond}};
      must(::utimensat(AT_FDCWD, path.c_str(), both.data(), 0), path);
    }
  }
}

void special(const std::string& root) {
  make_directory(root + "/special");
  const auto node = [&](const std::string& name, mode_t mode, dev_t device) {
    const std::string path = root + "/special/" + name;
    must(::mknod(path.c_str(), mode, device), path, {EINVAL});  // XFS: minor numbers of 18 bits
  };
  node("null", S_IFCHR | 0666U, makedev(1, 3));
  node("sda", S_IFBLK | 0660U, makedev(8, 0));
  node("old-largest", S_IFBLK | 0600U, makedev(255, 255));
  node("new-minor", S_IFCHR | 0600U, makedev(1, 256));
  node("new-major", S_IFBLK | 0600U, makedev(259, 70000));
  node("largest", S_IFCHR | 0600U, makedev(4095, 1048575));
  node("fifo", S_IFIFO | 0640U, 0);
  node("socket", S_IFSOCK | 0777U, 0);
  for (const mode_t mode : {0U, 01U, 0111U, 0400U, 02755U, 04755U, 06711U, 01777U, 07777U}) {
    const std::string path = fmt::format("{}/special/mode-{:04o}", root, mode);
    make(path, "mode");
    must(::chmod(path.c_str(), mode), path);
  }
  for (const unsigned id : {1U, 65535U, 65536U, 100000U, 2147483648U, 4294967294U}) {
    const std::string path = fmt::format("{}/special/owner-{}", root, id);
    make(path, "owner");
    must(::chown(path.c_str(), id, 4294967294U - id), path);
  }
}

void links(const std::string& root) {
  make_directory(root + "/links");
  make(root + "/links/file", "linked\n");
  for (int i = 0; i < 9; ++i) {
    const std::string path = fmt::format("{}/links/hard-{}", root, i);
    must(::link((root + "/links/file").c_str(), path.c_str()), path);
  }
  for (const std::size_t length :
       std::initializer_list<std::size_t>{1, 58, 59, 60, 61, 150, 160, 255, 1000, 1023, 1024, 4095}) {
    const std::string path = fmt::format("{}/links/symbolic-{}", root, length);
    std::string target;
    while (target.size() < length) target += "folder-" + std::to_string(target.size()) + "/";
    target.resize(length);
    must(::symlink(target.c_str(), path.c_str()), path, {ENAMETOOLONG});
  }
  must(::symlink("/etc/\xff\n%", (root + "/links/odd").c_str()), "odd");
  must(::symlink(".", (root + "/links/loop").c_str()), "loop");
}

void names(const std::string& root) {
  make_directory(root + "/names");
  const std::vector<std::string> all = {"a",
                                        " ",
                                        "new\nline",
                                        "tab\there",
                                        "back\\slash",
                                        "per%cent",
                                        "\xff\xfe\x80",
                                        "caf\xc3\xa9",
                                        "-rf",
                                        "...",
                                        "*",
                                        "\x01",
                                        std::string(255, 'n'),
                                        std::string(254, '\xe9')};
  for (const std::string& name : all) make(fmt::format("{}/names/{}", root, name), name);
  std::string deep = root + "/names/deep";
  make_directory(deep);
  for (int i = 0; i < 60; ++i) make_directory(deep += "/down");
}

/// A directory of random names of which every third is removed again.
void directory(const std::string& root, const std::string& name, std::uint32_t count, std::size_t longest) {
  const std::string path = root + "/" + name + "/";
  make_directory(path);
  std::mt19937 engine(count);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same names every time
  std::vector<std::string> made;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string file = std::to_string(i) + "-";
    const std::size_t length = longest > 200 ? longest : file.size() + engine() % longest;
    while (file.size() < length)
      file += static_cast<char>(engine() % 2 == 0 ? 'a' + engine() % 26 : 161 + engine() % 90);
    made.push_back(path + file);
    must(::mknod(made.back().c_str(), S_IFREG | 0644U, 0), made.back());
  }
  for (std::size_t i = 0; longest <= 200 && i < made.size(); i += 3) must(::unlink(made[i].c_str()), made[i]);
}

void subdirectories(const std::string& root, std::uint32_t count) {
  make_directory(root + "/subdirectories");
  for (std::uint32_t i = 0; i < count; ++i) make_directory(fmt::format("{}/subdirectories/{}", root, i));
}

/// An access control list as setxattr(2) takes it (linux/posix_acl_xattr.h).
std::string access_list(std::initializer_list<std::array<std::uint32_t, 3>> entries) {
  std::string value("\2\0\0\0", 4);
  const auto add = [&](std::uint32_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) value += static_cast<char>(number >> (8 * i));
  };
  for (const auto& [tag, permissions, id] : entries) {
    add(tag, 2);
    add(permissions, 2);
    add(id, 4);
  }
  return value;
}

void access_lists(const std::string& root) {
  constexpr std::uint32_t none = 0xffffffff;
  const std::string access = access_list({{1, 6, none},
                                          {2, 7, 1000},
                                          {2, 0, 100'000},
                                          {4, 4, none},
                                          {8, 5, 70'000},
                                          {16, 7, none},
                                          {32, 4, none}});
  make_directory(root + "/xattrs/acl");
  make(root + "/xattrs/acl/file", "acl");
  set(root + "/xattrs/acl/file", "system.posix_acl_access", access);
  set(root + "/xattrs/acl", "system.posix_acl_access", access);
  set(root + "/xattrs/acl", "system.posix_acl_default", access);
  make(root + "/xattrs/acl/inherits", "acl");
  make_directory(root + "/xattrs/acl/inherits-too");
}

void xattrs(const std::string& root) {
  make_directory(root + "/xattrs");
  const auto file = [&](const std::string& name) {
    const std::string path = root + "/xattrs/" + name;
    make(path, name);
    return path;
  };
  const std::string every = file("every-namespace");
  set(every, "user.short", "1");
  set(every, "user.empty", "");
  set(every, "user." + std::string(200, 'n'), "long name");
  set(every, "user.bytes", noise(200, 5));
  set(every, "trusted.overlay.opaque", "y");
  set(every, "security.selinux", "system_u:object_r:etc_t:s0\0"s);
  set(every, "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s);
  set(file("capability-of-a-container"), "security.capability",
      "\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa0\x86\1\0"s);
  set(root + "/xattrs", "user.directory", "yes");
  for (int i = 0; i < 4; ++i) set(file(fmt::format("shared-{}", i)), "user.shared", std::string(600, 's'));
  for (const std::size_t size :
       std::initializer_list<std::size_t>{30, 60, 100, 150, 500, 900, 1900, 3900, 4090, 9000, 60000, 65536}) {
    set(file(fmt::format("size-{}", size)), "user.value", noise(size, static_cast<std::uint32_t>(size)));
  }
  const std::string many = file("many");
  for (int i = 0; i < 40; ++i)
    set(many, fmt::format("user.n{}", i), noise(20, static_cast<std::uint32_t>(i)));
  const std::string link = root + "/xattrs/link";
  must(::symlink("target", link.c_str()), link);
  set(link, "trusted.on-link", "yes");
  set(link, "security.on-link", std::string(300, 'l'));
  const std::string fifo = root + "/xattrs/fifo";
  must(::mkfifo(fifo.c_str(), 0600), fifo);
  set(fifo, "trusted.on-fifo", "yes");
  access_lists(root);
}

void flags(const std::string& root) {
  make_directory(root + "/flags");
  for (const int flag : {FS_NODUMP_FL, FS_NOATIME_FL, FS_SYNC_FL, FS_APPEND_FL, FS_IMMUTABLE_FL}) {
    const std::string path = fmt::format("{}/flags/{:x}", root, flag);
    make(path, "flags");
    const File file(path, O_RDONLY | O_CLOEXEC);
    int all = 0;
    must(::ioctl(file.fd(), FS_IOC_GETFLAGS, &all), path);
    all |= flag;
    must(::ioctl(file.fd(), FS_IOC_SETFLAGS, &all), path);
  }
}

/// A directory encrypted by fscrypt with a key that nobody keeps.
void encrypted(const std::string& root) {
  const File top(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  constexpr std::size_t key_size = 64;
  std::array<std::byte, sizeof(fscrypt_add_key_arg) + key_size> request{};
  fscrypt_add_key_arg key{};
  key.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
  key.raw_size = key_size;
  std::memcpy(request.data(), &key, sizeof key);
  std::memcpy(request.data() + sizeof key, noise(key_size, 6).data(), key_size);
  must(::ioctl(top.fd(), FS_IOC_ADD_ENCRYPTION_KEY, request.data()), "adding a key");
  std::memcpy(&key, request.data(), sizeof key);

  const std::string path = root + "/encrypted";
  make_directory(path);
  fscrypt_policy_v2 policy{};
  policy.version = FSCRYPT_POLICY_V2;
  policy.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS;
  policy.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS;
  policy.flags = FSCRYPT_POLICY_FLAGS_PAD_16;
  std::memcpy(policy.master_key_identifier, key.key_spec.u.identifier, sizeof policy.master_key_identifier);
  const File directory_file(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  must(::ioctl(directory_file.fd(), FS_IOC_SET_ENCRYPTION_POLICY, &policy), "setting the policy");

  make(path + "/file", noise(5000, 7));
  make(path + "/empty", "");
  make(path + "/" + std::string(120, 'l'), "long");
  make(path + "/" + std::string(200, 'l'), "longer");
  make(path + "/" + std::string(255, 'l'), "longest");
  must(::symlink("target", (path + "/link").c_str()), "link");
  must(::symlink(std::string(300, 't').c_str(), (path + "/long-link").c_str()), "long-link");
  directory(path, "many", 600, 40);
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  std::string root;
  std::vector<std::uint64_t> fragment_counts;
  std::uint32_t long_names = 0;
  std::uint32_t subdirectory_count = 0;
  bool with_encryption = false;
  bool without_zoo = false;
  CLI::App app("fills a file system with one file of every kind");
  app.add_option("root", root)->required();
  app.add_option("--fragments", fragment_counts, "a file of so many extents");
  app.add_option("--long-names", long_names, "a directory of so many names of 250 bytes");
  app.add_option("--subdirectories", subdirectory_count, "a directory of so many directories");
  app.add_flag("--encrypted", with_encryption, "a directory encrypted by fscrypt");
  app.add_flag("--no-zoo", without_zoo, "only what the other options ask for");
  CLI11_PARSE(app, argc, argv);
  ::umask(0);

  if (with_encryption) encrypted(root);
  if (long_names != 0) directory(root, "long-names", long_names, 250);
  if (subdirectory_count != 0) subdirectories(root, subdirectory_count);
  for (const std::uint64_t count : fragment_counts) fragments(root, count);
  if (without_zoo) return 0;
  for (auto* part : {sizes, holes, huge, times, special, links, names, xattrs, flags}) part(root);
  directory(root, "many", 3000, 60);
  return 0;
}
