// SPDX-License-Identifier: MIT
#include "fs/ext4/handle.h"

#include <cerrno>
#include <new>
#include <optional>
#include <utility>

extern "C" {
#include <et/com_err.h>
}
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

namespace vmfs::ext4 {
namespace {

/// What this thread opens, and the first error below: the interface has room for a name and a code only.
struct Opening {
  const Source& source;
  std::optional<Error> failure;
};
thread_local Opening* opening = nullptr;

const Source& source_of(io_channel channel) {
  return *static_cast<const Source*>(channel->private_data);
}

errcode_t io_close(io_channel channel) {
  if (--channel->refcount == 0) delete channel;
  return 0;
}

errcode_t io_set_blksize(io_channel channel, int block_size) {
  channel->block_size = block_size;
  return 0;
}

/// A negative count is a number of bytes, a positive one of blocks.
errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void* data) {
  const auto block_size = static_cast<std::uint64_t>(channel->block_size);
  const std::uint64_t length = count < 0 ? static_cast<std::uint64_t>(-std::int64_t{count})
                                         : static_cast<std::uint64_t>(count) * block_size;
  const Source& source = source_of(channel);
  if (block > source.size() / block_size) return EXT2_ET_SHORT_READ;
  const auto done = read(source, block * block_size, {static_cast<std::byte*>(data), length});
  if (done) return 0;
  if (opening != nullptr && !opening->failure) opening->failure = done.error();
  return EIO;
}

errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void* data) {
  return io_read_blk64(channel, block, count, data);
}

errcode_t io_write_blk64(io_channel /*channel*/, unsigned long long /*block*/, int /*count*/,
                         const void* /*data*/) {
  return EROFS;
}

errcode_t io_write_blk(io_channel /*channel*/, unsigned long /*block*/, int /*count*/, const void* /*data*/) {
  return EROFS;
}

errcode_t io_flush(io_channel /*channel*/) {
  return 0;
}

errcode_t io_open(const char* name, int flags, io_channel* channel);

constexpr struct_io_manager make_manager() noexcept {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "vmfs";
  manager.open = io_open;
  manager.close = io_close;
  manager.set_blksize = io_set_blksize;
  manager.read_blk = io_read_blk;
  manager.read_blk64 = io_read_blk64;
  manager.write_blk = io_write_blk;
  manager.write_blk64 = io_write_blk64;
  manager.flush = io_flush;
  return manager;
}

constinit struct_io_manager source_io_manager = make_manager();

errcode_t io_open(const char* /*name*/, int flags, io_channel* channel) {
  if ((flags & IO_FLAG_RW) != 0) return EROFS;
  auto* made = new (std::nothrow) struct_io_channel{};
  if (made == nullptr) return EXT2_ET_NO_MEMORY;
  made->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  made->manager = &source_io_manager;
  made->name = const_cast<char*>("vmfs");
  made->block_size = 1024;
  made->refcount = 1;
  made->private_data = const_cast<Source*>(&opening->source);
  *channel = made;
  return 0;
}

}  // namespace

void Handle::Close::operator()(struct_ext2_filsys* handle) const {
  ext2fs_free(handle);
}

Result<Handle> Handle::open(const Source& volume, std::uint32_t block_size) {
  // Features and checksums were checked by read_superblock(), more leniently than libext2fs would.
  const int flags = EXT2_FLAG_64BITS | EXT2_FLAG_FORCE | EXT2_FLAG_SKIP_MMP | EXT2_FLAG_IGNORE_CSUM_ERRORS;
  ext2_filsys handle = nullptr;
  Opening state{.source = volume, .failure = std::nullopt};
  opening = &state;
  const errcode_t code = ext2fs_open2("vmfs", nullptr, flags, 0, 0, &source_io_manager, &handle);
  opening = nullptr;
  if (code != 0 && state.failure) return std::unexpected(*std::move(state.failure));
  if (code == EXT2_ET_NO_MEMORY || code == ENOMEM)
    return fail(ENOMEM, "ext4: no memory for the group descriptors");
  if (code != 0) return fail(EUCLEAN, "ext4: libext2fs: {}", error_message(code));
  Handle opened(handle);
  if (handle->blocksize != block_size)
    return fail(EUCLEAN, "ext4: libext2fs sees blocks of {} bytes instead of {}", handle->blocksize,
                block_size);
  return opened;
}

Block Handle::inode_table(std::uint32_t group) const {
  return Block{ext2fs_inode_table_loc(handle_.get(), group)};
}

std::uint64_t Handle::free_clusters() const {
  std::uint64_t sum = 0;
  for (dgrp_t group = 0; group < handle_->group_desc_count; ++group)
    sum += ext2fs_bg_free_blocks_count(handle_.get(), group);
  return sum;
}

std::uint64_t Handle::free_inodes() const {
  std::uint64_t sum = 0;
  for (dgrp_t group = 0; group < handle_->group_desc_count; ++group)
    sum += ext2fs_bg_free_inodes_count(handle_.get(), group);
  return sum;
}

std::uint32_t Handle::damaged_groups() const {
  std::uint32_t damaged = 0;
  for (dgrp_t group = 0; group < handle_->group_desc_count; ++group)
    damaged += ext2fs_group_desc_csum_verify(handle_.get(), group) == 0 ? 1U : 0U;
  return damaged;
}

std::uint32_t Handle::descriptor_blocks() const {
  return static_cast<std::uint32_t>(handle_->desc_blocks);
}

const ext2fs_nls_table* Handle::encoding() const {
  return handle_->encoding;
}

}  // namespace vmfs::ext4
