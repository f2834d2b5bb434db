// SPDX-License-Identifier: MIT
#include "fs/ext4/recovery.h"

#include <utility>

#include "formats/overlay_source.h"
#include "fs/ext4/fast_replay.h"
#include "fs/ext4/journal/journal.h"
#include "fs/ext4/journal/location.h"
#include "fs/ext4/journal/replay.h"
#include "fs/ext4/volume.h"

namespace vmfs::ext4 {
namespace {

Result<JournalLocation> locate_journal(const std::shared_ptr<const Source>& source,
                                       std::span<const std::shared_ptr<const Source>> devices,
                                       const Superblock& superblock, const Geometry& geometry) {
  if (has_external_journal(superblock))
    return JournalLocation::find_on_devices(devices, superblock, geometry.block_size);
  const Volume volume(source, geometry, TRY(Handle::open(*source, geometry.block_size)));
  const Volume::Lease workspace(volume);
  return JournalLocation::find(*workspace, superblock);
}

/// Replays the log, then the fast commits that came after it.
Result<void> replay_journal(const std::shared_ptr<const Source>& volume, JournalLocation location,
                            Superblock& superblock, const std::shared_ptr<OverlaySource>& overlay,
                            Recovery& recovery) {
  const Geometry geometry = TRY(check_geometry(superblock, volume->size()));
  const Journal journal = TRY(Journal::open(*volume, geometry.block_size, std::move(location)));
  recovery.journal_error = journal.has_error();
  if (journal.empty()) return {};
  const Replay replay = TRY(replay_log(journal, volume->size() / geometry.block_size, *overlay));
  recovery.replayed = true;
  recovery.transactions = replay.transactions;
  recovery.blocks = replay.blocks;
  superblock = TRY(read_superblock(*overlay));
  if (!journal.has(journal_fast_commit)) return {};
  const Geometry now = TRY(check_geometry(superblock, volume->size()));
  Editor editor = TRY(Editor::open(overlay, now));
  const FastReplay fast = TRY(replay_fast_commits(journal, replay.end, editor));
  recovery.fast_changes = fast.changes;
  recovery.missing_changes = fast.missing;
  recovery.freed.blocks -= fast.blocks;
  recovery.freed.inodes -= fast.inodes;
  return {};
}

}  // namespace

bool needs_recovery(const Superblock& superblock) {
  return (superblock.s_feature_incompat & incompat_recover) != 0 &&
         (superblock.s_feature_compat & compat_has_journal) != 0;
}

bool has_external_journal(const Superblock& superblock) {
  return (superblock.s_feature_compat & compat_has_journal) != 0 && superblock.s_journal_inum == 0;
}

Result<Recovery> recover(std::shared_ptr<const Source> volume,
                         std::span<const std::shared_ptr<const Source>> devices, Superblock& superblock) {
  Recovery recovery{.volume = volume};
  const bool dirty = (superblock.s_feature_incompat & incompat_recover) != 0;
  if (dirty && !needs_recovery(superblock)) return recovery;
  auto overlay = std::make_shared<OverlaySource>(volume);
  if (dirty) {
    const Geometry geometry = TRY(check_geometry(superblock, volume->size()));
    JournalLocation location = TRY(locate_journal(volume, devices, superblock, geometry));
    if (has_external_journal(superblock) && !location.device()) return recovery;
    TRY(replay_journal(volume, std::move(location), superblock, overlay, recovery));
    superblock.s_feature_incompat = superblock.s_feature_incompat & ~std::uint32_t{incompat_recover};
  }
  const bool damaged = (superblock.s_state & state_error) != 0 || recovery.journal_error;
  if (may_have_orphans(superblock) && !damaged) {
    const Geometry geometry = TRY(check_geometry(superblock, volume->size()));
    Editor editor = TRY(Editor::open(overlay, geometry));
    const Freed orphans = clean_orphans(editor, superblock);
    recovery.freed.blocks += orphans.blocks;
    recovery.freed.inodes += orphans.inodes;
    superblock.s_feature_ro_compat =
        superblock.s_feature_ro_compat & ~std::uint32_t{ro_compat_orphan_present};
  }
  if (recovery.replayed) recovery.volume = std::move(overlay);
  return recovery;
}

}  // namespace vmfs::ext4
