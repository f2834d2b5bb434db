#!/usr/bin/env bash
# A name among half a million costs a few metadata blocks: two nodes and a leaf of the index, the data block, and
# where the map of the directory's thousands of extents has each of them.
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mkfs.xfs mount
names=500000

fill() {
    mkdir "$scratch/mnt/large"
    "$VMFS_TOOLS/lookups" make "$scratch/mnt/large" "$names"
}

# In memory: the log of so many links is long.
image=$(mktemp /dev/shm/vmfs-test.XXXXXX)
on_exit rm -f "$image"
truncate -s 1G "$image"
mkfs.xfs -q -f "$image"
with_loop_mount "$image" xfs rw "$scratch/mnt" fill
most=$("$VMFS_TOOLS/lookups" count "$image" large "$names")
printf 'at most %d reads for a name among %d\n' "$most" "$names"
[ "$most" -ge 3 ] || fail "too few to be true"
[ "$most" -le 12 ] || fail "too many"
