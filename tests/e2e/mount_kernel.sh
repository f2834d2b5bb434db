#!/usr/bin/env bash
# What a mount shows through FUSE is what the kernel's own driver shows, on every attribute and every byte: the whole path
# with its caches, splices and listings, as root and as an ordinary user.
# needs: ext4
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff
mnt=$scratch/mnt
as_user true
install -d -o "$test_user" "$mnt"

# compare NAME EXPECTED GOT
compare() {
    diff <(cut -f "$columns" "$2") <(cut -f "$columns" "$3") >"$scratch/diff" && return
    head -n 10 "$scratch/diff" | cut -c 1-300
    fail "$1: not what the kernel shows"
}

columns=1-13,15- # FUSE knows no time of birth
for name in ext4-4k ext4-1k ext2-1k inline-data encrypt-4096; do
    image=$VMFS_FIXTURES/ext4/$name.img
    with_loop_mount "$image" ext4 ro,noload "$mnt" "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/kernel"
    "$VMFS" mount "$image" "$mnt"
    "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/cold"
    "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/warm"
    "$VMFS" umount "$mnt"
    compare "$name as root" "$scratch/kernel" "$scratch/cold"
    compare "$name as root, warm" "$scratch/kernel" "$scratch/warm"
done

# An ordinary user sees all of it too, but for attributes that only root may see anywhere.
image=$VMFS_FIXTURES/ext4/ext4-4k.img
columns=1-10,12-13,15-
with_loop_mount "$image" ext4 ro,noload "$mnt" "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/kernel"
as_user "$VMFS" mount "$image" "$mnt"
as_user "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/user"
as_user "$VMFS" umount "$mnt"
compare 'as a user' "$scratch/kernel" "$scratch/user"

# With default_permissions the guest's modes and ACLs count.
as_user "$VMFS" mount -o default_permissions "$image" "$mnt"
! as_user cat "$mnt"/special/mode-0000 2>/dev/null || fail 'a file of mode 0000 was read'
as_user "$VMFS" umount "$mnt"
printf 'as the kernel shows it\n'
