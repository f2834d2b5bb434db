// SPDX-License-Identifier: MIT
#include "formats/qcow2/decompress.h"

#include <cerrno>
#include <memory>

#include <libdeflate.h>
#include <zstd.h>

namespace vmfs::qcow2 {
namespace {

struct FreeDeflate {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};
struct FreeZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<void> inflate(std::span<const std::byte> packed, std::span<std::byte> into) {
  thread_local const std::unique_ptr<libdeflate_decompressor, FreeDeflate> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) return fail(ENOMEM, "no memory to decompress a cluster");
  std::size_t consumed = 0;
  std::size_t produced = 0;
  const auto result = libdeflate_deflate_decompress_ex(decompressor.get(), packed.data(), packed.size(),
                                                       into.data(), into.size(), &consumed, &produced);
  if (result != LIBDEFLATE_SUCCESS || produced != into.size())
    return fail(EIO, "compressed cluster: damaged deflate data");
  return {};
}

/// Frame by frame, each of known length: the one-shot function needs no window of its own, whose size the
/// data could choose, but does not accept bytes behind a frame.
Result<void> unzstd(std::span<const std::byte> packed, std::span<std::byte> into) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  if (!context) return fail(ENOMEM, "no memory to decompress a cluster");
  while (!into.empty()) {
    const std::size_t frame = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
    if (ZSTD_isError(frame) != 0 || frame == 0) return fail(EIO, "compressed cluster: damaged zstd frame");
    const std::size_t produced =
        ZSTD_decompressDCtx(context.get(), into.data(), into.size(), packed.data(), frame);
    if (ZSTD_isError(produced) != 0) return fail(EIO, "compressed cluster: damaged zstd data");
    into = into.subspan(produced);
    packed = packed.subspan(frame);
  }
  return {};
}

}  // namespace

Result<void> decompress(Compression compression, std::span<const std::byte> packed,
                        std::span<std::byte> into) {
  return compression == Compression::zstd ? unzstd(packed, into) : inflate(packed, into);
}

}  // namespace vmfs::qcow2
