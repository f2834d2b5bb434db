// SPDX-License-Identifier: MIT
#pragma once

#include "formats/image_format.h"

namespace vmfs::qcow2 {

/// Whether a file begins as a version 2 (or later) image does.
[[nodiscard]] bool recognise(std::span<const std::byte> head);

/// Opens a version 2 or 3 image with the files it names.
/// Errors: those of read_header(), read_snapshots() and of `input.references`; ENOKEY without a password for
/// an encrypted image.
[[nodiscard]] Result<OpenedImage> open(const ImageInput& input);

/// Whether a file begins as a version 1 image does.
[[nodiscard]] bool recognise_v1(std::span<const std::byte> head);

/// Opens a QCOW version 1 image with its backing file. Errors: as open().
[[nodiscard]] Result<OpenedImage> open_v1(const ImageInput& input);

}  // namespace vmfs::qcow2
