#!/usr/bin/env bash
# A real Debian system on XFS is, in every attribute and every byte, what the kernel shows.
# needs: debian_xfs
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff
image=$VMFS_FIXTURES/debian_xfs/debian.img

with_loop_mount "$image" xfs ro,norecovery "$scratch/mnt" \
    "$VMFS_TOOLS/manifest" dir --full "$scratch/mnt" >"$scratch/kernel"
files=$(wc -l <"$scratch/kernel")
[ "$files" -gt 5000 ] || fail "only $files files: not a Debian system"
"$VMFS_TOOLS/manifest" image --full "$image" >"$scratch/ours"
if ! diff "$scratch/kernel" "$scratch/ours" >"$scratch/diff"; then
    head -n 20 "$scratch/diff"
    fail "$(grep -c '^[<>]' "$scratch/diff") lines differ"
fi
printf '%d files of a Debian system as the kernel shows them\n' "$files"
