#!/usr/bin/env bash
# A directory with a damaged block, through FUSE: no name that the kernel shows is missing, and whoever lists it learns of
# the damage.
# timeout: 120
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mke2fs e2fsck debugfs mount comm
mnt=$scratch/mnt
mkdir "$mnt" "$scratch/files" "$scratch/files/many" "$scratch/files/few"
pad=$(printf '%0200d' 0)
for number in {1..400}; do : >"$scratch/files/many/$number-$pad"; done
for number in {1..3}; do : >"$scratch/files/few/$number"; done

# make IMAGE OPTION...: an image whose directories have an index where they are large
make() {
    local image=$1 status=0
    shift
    mke2fs -q -F -t ext4 -b 1024 "$@" -d "$scratch/files" "$image" 8M >/dev/null
    e2fsck -fyD "$image" >/dev/null 2>&1 || status=$?
    [ "$status" -le 1 ] || fail "e2fsck: $status"
}

# damage IMAGE DIRECTORY BLOCK: the first entry of a directory's block gets an odd length
damage() {
    local block
    block=$(debugfs -R "bmap $2 $3" "$1" 2>/dev/null)
    printf '\x0d' | dd of="$1" bs=1 seek=$((block * 1024 + 4)) conv=notrunc status=none
}

# names DIRECTORY NAME: what ls shows goes to $scratch/NAME and its status to $ls_status
names() {
    ls_status=0
    ls -a "$1" 2>"$scratch/messages" >"$scratch/names" || ls_status=$?
    LC_ALL=C sort "$scratch/names" >"$scratch/$2"
}

kernel_names() {
    names "$mnt/$1" kernel
    kernel_status=$ls_status
}

# check IMAGE DIRECTORY: sets ours_status and kernel_status
check() {
    with_loop_mount "$1" ext4 ro,noload,errors=continue "$mnt" kernel_names "$2"
    "$VMFS" mount "$1" "$mnt"
    names "$mnt/$2" ours
    ours_status=$ls_status
    "$VMFS" umount "$mnt"
    [ "$ours_status" -ne 0 ] || fail "$2: the damage is not told"
    LC_ALL=C comm -23 "$scratch/kernel" "$scratch/ours" >"$scratch/missing"
    [ ! -s "$scratch/missing" ] || fail "$2: $(wc -l <"$scratch/missing") names are missing: $(head -n 1 "$scratch/missing")"
}

make "$scratch/checksums.img"
damage "$scratch/checksums.img" many 40
damage "$scratch/checksums.img" few 0
check "$scratch/checksums.img" many
[ "$kernel_status" -eq "$ours_status" ] || fail "status $ours_status, the kernel's $kernel_status"
[ "$(wc -l <"$scratch/ours")" -ge 390 ] || fail "only $(wc -l <"$scratch/ours") names"
check "$scratch/checksums.img" few
[ "$kernel_status" -eq "$ours_status" ] || fail "status $ours_status, the kernel's $kernel_status"

# Without checksums the kernel passes over the rest of the block in silence.
make "$scratch/plain.img" -O ^metadata_csum
damage "$scratch/plain.img" many 40
check "$scratch/plain.img" many
cmp -s "$scratch/kernel" "$scratch/ours" || fail 'not the names that the kernel shows'
printf 'the kernel'"'"'s names, and the damage\n'
