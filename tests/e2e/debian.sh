#!/usr/bin/env bash
# A real Debian system in a qcow2 is, in every attribute and every byte, what the kernel shows of the raw disk: read by
# our own walk, and as an ordinary user mounts it.
# needs: debian
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff
fixtures=$VMFS_FIXTURES/debian
mnt=$scratch/mnt
as_user true
install -d -o "$test_user" "$mnt"

# compare NAME COLUMNS
compare() {
    diff <(cut -f "$2" "$scratch/kernel") <(cut -f "$2" "$scratch/ours") >"$scratch/diff" && return
    head -n 20 "$scratch/diff"
    fail "$1: $(grep -c '^[<>]' "$scratch/diff") lines differ"
}

with_loop_mount "$fixtures/debian.raw" ext4 ro,noload,offset=1048576 "$mnt" \
    "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/kernel"
files=$(wc -l <"$scratch/kernel")
[ "$files" -gt 5000 ] || fail "only $files files: not a Debian system"
for image in debian.raw debian.qcow2; do
    "$VMFS_TOOLS/manifest" image --full --partition 1 "$fixtures/$image" >"$scratch/ours"
    compare "$image" 1-
done

as_user "$VMFS" mount "$fixtures/debian.qcow2" "$mnt"
as_user "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/ours"
as_user "$VMFS" umount "$mnt"
compare 'debian.qcow2, mounted' 1-13,15- # FUSE knows no time of birth
printf '%d files of a Debian system as the kernel shows them\n' "$files"
