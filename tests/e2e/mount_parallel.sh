#!/usr/bin/env bash
# Many readers at once see what one reader sees, and the server ends well: its sanitizer, if it has one, found nothing.
# needs: ext4
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
mnt=$scratch/mnt
mkdir "$mnt"
readers=16

for name in ext4-4k ext3-1k inline-data; do
    "$VMFS" mount -f "$VMFS_FIXTURES/ext4/$name.img" "$mnt" 2>"$scratch/log" &
    server=$!
    until mountpoint -q "$mnt"; do
        kill -0 "$server" 2>/dev/null || fail "no mount: $(cat "$scratch/log")"
        sleep 0.02
    done
    walks=()
    for ((i = 0; i < readers; i++)); do
        "$VMFS_TOOLS/manifest" dir "$mnt" >"$scratch/walk.$i" &
        walks+=($!)
    done
    wait "${walks[@]}"
    for ((i = 1; i < readers; i++)); do
        cmp "$scratch/walk.0" "$scratch/walk.$i" || fail "$name: reader $i saw something else"
    done
    [ "$(wc -l <"$scratch/walk.0")" -gt 100 ] || fail "$name: next to nothing was read"
    "$VMFS" umount "$mnt"
    wait "$server" || fail "$name: the server ended with $?: $(cat "$scratch/log")"
    ! grep -E 'Sanitizer|runtime error' "$scratch/log" || fail "$name"
done
