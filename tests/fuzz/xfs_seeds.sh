#!/usr/bin/env bash
# Makes fuzz/corpus/xfs anew, where every kind of XFS structure is on some small image: xfs_seeds.sh DIRECTORY
# (environment as for the tests). Run by hand; the kernel and mkfs.xfs decide what becomes of the bytes.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mkfs.xfs xfs_db xfs_io mount setfattr python3
directory=$(realpath "$1")
mnt=$scratch/mnt

# seed NAME FILL MKFS-OPTION...
seed() {
    local image=$scratch/$1.img
    truncate -s 64M "$image"
    mkfs.xfs -q -f --unsupported -m uuid=0f0e0d0c-0b0a-0908-0706-050403020100 "${@:3}" "$image"
    with_loop_mount "$image" xfs rw,nouuid "$mnt" "$2"
    xfs_db -x -c 'logformat -c 1' "$image" # nothing of what is in it already
    finish "$1"
}

# As seed, but the machine stops: what was done is in the log only.
crashed() {
    local image=$scratch/$1.img device
    truncate -s 64M "$image"
    mkfs.xfs -q -f --unsupported -m uuid=0f0e0d0c-0b0a-0908-0706-050403020100 "${@:3}" "$image"
    device=$(losetup --find --show "$image")
    mount -t xfs -o nouuid "$device" "$mnt"
    "$2"
    xfs_io -x -c 'shutdown -f' "$mnt"
    umount "$mnt"
    losetup --detach "$device"
    finish "$1"
}

# Zeroes the empty records that each mount puts behind the log's head: a log that was never full stays as it is.
clear_log() {
    python3 - "$1" <<'END'
import sys
with open(sys.argv[1], 'r+b') as image:
    data = image.read()
    at = data.find(b'\xfe\xed\xba\xbe')
    while at >= 0:
        if at % 512 == 0 and data[at + 12:at + 16] == bytes(4):
            image.seek(at)
            image.write(bytes(512))
        at = data.find(b'\xfe\xed\xba\xbe', at + 4)
END
}

finish() {
    clear_log "$scratch/$1.img"
    "$VMFS_TOOLS/metadata" print "$scratch/$1.img" >"$directory/$1"
    printf '%s: %d bytes\n' "$1" "$(stat -c %s "$directory/$1")"
}

# linked DIRECTORY COUNT: names that cost no inodes
linked() {
    local i
    mkdir -p "$1"
    touch "$1/0"
    for ((i = 1; i < $2; i++)); do ln "$1/0" "$1/$i"; done
}

directories() {
    cd "$mnt"
    linked short 5
    linked block 20
    linked leaf 200
    linked node 640
    ln -s block link
    ln -s "$(printf '%0900d' 1)" long-link
    cd /
}

tree_directory() {
    local i
    cd "$mnt"
    mkdir tree
    setfattr -n user.room -v "$(printf '%0230d' 1)" tree # none is left for a list of extents
    touch tree/0
    for ((i = 0; i < 90; i++)); do
        ln tree/0 "tree/$i-$(printf '%0230d' 1)"
        xfs_io -f -c 'falloc 0 8k' "between-$i"
    done
    cd /
}

attributes() {
    local i
    cd "$mnt"
    touch short leaf node remote
    setfattr -n user.one -v 1 short
    setfattr -n trusted.two -v 2 short
    setfacl -m u:1000:rw short
    for ((i = 0; i < 12; i++)); do setfattr -n "user.name-$i" -v "$(printf '%030d' "$i")" leaf; done
    for ((i = 0; i < 90; i++)); do setfattr -n "user.name-$i" -v "$(printf '%030d' "$i")" node; done
    setfattr -n user.remote -v "$(printf '%03000d' 1)" remote
    setfattr -n security.remote -v "$(printf '%01500d' 1)" remote
    cd /
}

files() {
    local i
    cd "$mnt"
    xfs_io -f -c 'pwrite -q 0 9k' -c 'falloc 20k 8k' -c 'truncate 60k' holes
    for ((i = 0; i < 90; i++)); do printf 'pwrite -q %dk 1k\n' $((2 * i)); done | xfs_io -f tree >/dev/null
    mknod null c 1 3
    mkfifo fifo
    cd /
}

changes() {
    cd "$mnt"
    mkdir one
    linked one/block 12
    setfattr -n user.short -v 1 one
    setfattr -n user.long -v "$(printf '%01500d' 1)" one
    xfs_io -f -c 'pwrite -q 0 9k' -c fsync one/file
    ln -s "$(printf '%0700d' 1)" one/link
    sync -f .
    xfs_io -f -c 'pwrite -q 64k 1k' -c 'fpunch 0 2k' one/file
    mv one/file one/moved
    rm one/block/3
    mknod one/null c 1 3
    cd /
}

seed directories directories -b size=1024
seed directory-tree tree_directory -b size=1024
seed attributes attributes -b size=1024
seed files files -b size=1024 -i nrext64=1
seed plain true
crashed changes changes -b size=1024
crashed changes-of-everything changes -b size=1024 -m rmapbt=1,reflink=1 -i nrext64=1 -l su=64k

# version 4, which no kernel mounts here
truncate -s 64M "$scratch/v4.img"
mkdir "$scratch/tree"
{
    printf '/dev/null\n0 0\nd--755 0 0\n'
    printf 'one ---644 0 0 %s\n' "$VMFS_SOURCE/LICENSE"
    printf 'long l--777 0 0 %0700d\nblock d--755 0 0\n' 1
    for i in $(seq 12); do printf 'entry-number-%d ---600 0 0 /dev/null\n' "$i"; done
    printf '$\nleaf d--755 0 0\n'
    for i in $(seq 130); do printf 'entry-number-%d ---600 0 0 /dev/null\n' "$i"; done
    printf '$\n$\n'
} >"$scratch/prototype"
mkfs.xfs -q -f --unsupported -m crc=0 -b size=512 -n size=4096 -p "$scratch/prototype" "$scratch/v4.img"
finish v4
