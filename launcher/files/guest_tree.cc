// SPDX-License-Identifier: MIT
#include "launcher/files/guest_tree.h"

#include "fs/guest/all_volumes.h"
#include "fs/guest/assemble.h"

namespace vmfs {

Result<GuestTree> GuestTree::open(const ImageOptions& options, const SandboxNeeds& needs) {
  const std::vector<Image> images = TRY(open_images_from_options(options));
  TRY(enter_sandbox(needs));
  return look(options, images);
}

Result<GuestTree> GuestTree::look(const ImageOptions& options, const std::vector<Image>& images) {
  GuestTree tree(TRY(open_disk_from_options(options, images)));
  auto guest = open_guest(tree.disk_, options.partition, filesystem_options(options));
  if (!guest) return fail(guest.error().code, "{}: {}", options.image, guest.error().what);
  tree.filesystem_ = std::move(guest->tree);
  return tree;
}

Result<GuestTree> GuestTree::look_at_all(const ImageOptions& options, const std::vector<Image>& images) {
  GuestTree tree(TRY(open_disk_from_options(options, images)));
  auto volumes = all_volumes(tree.disk_, print_warning);
  if (!volumes) return fail(volumes.error().code, "{}: {}", options.image, volumes.error().what);
  tree.filesystem_ = *std::move(volumes);
  return tree;
}

}  // namespace vmfs
