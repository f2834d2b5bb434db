#!/usr/bin/env bash
# Small images of every kind with a few bytes changed at random, FLIPS of them (default 500; a night: FLIPS=50000): no
# crash, no hang, no more than 512 MiB. SEED chooses them; a variant that failed is named so that it can be made again.
# timeout: 280
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need mke2fs mkfs.xfs sfdisk qemu-img
flips=${FLIPS:-500} seed=${SEED:-1}
cd "$scratch"

# A tree with some of everything that a user may make.
mkdir -p tree/etc tree/many tree/deep/a/b/c
printf 'ID=test\nPRETTY_NAME="A test"\n' >tree/etc/os-release
for number in $(seq 150); do : >"tree/many/$(printf '%060d' "$number")"; done
for size in 1 60 150 1023 4096 70000; do head -c "$size" /dev/zero | tr '\0' x >"tree/size-$size"; done
truncate -s 3M tree/hole
printf end >>tree/hole
ln -s size-150 tree/short-link
ln -s "$(printf '%0200d' 1)" tree/long-link
ln tree/size-60 tree/deep/a/b/c/second-name

ext() { mke2fs -q -F -t "$1" -b 1024 -N 300 "${@:3}" -d tree "$2" 4M; }
ext ext4 plain.img -O ^metadata_csum
ext ext4 checksums.img -O metadata_csum,inline_data -I 256
ext ext2 maps.img
ext ext4 odd.img -O ^metadata_csum,bigalloc,inline_data -I 256
for image in plain.img odd.img; do
    e2fsck -fyD "$image" >/dev/null 2>&1 || [ $? -eq 1 ] || fail "$image"
done
# protofile NAME: what a directory holds, for mkfs.xfs
protofile() {
    local entry name
    for entry in "$1"/*; do
        name=${entry##*/}
        if [ -L "$entry" ]; then
            printf '%s l--777 0 0 %s\n' "$name" "$(readlink "$entry")"
        elif [ -d "$entry" ]; then
            printf '%s d--755 0 0\n' "$name"
            protofile "$entry"
            printf '$\n'
        else
            printf '%s ---644 0 0 %s\n' "$name" "$entry"
        fi
    done
}
{
    printf '/dev/null\n0 0\nd--755 0 0\n'
    protofile tree
    printf '$\n'
} >root.proto
truncate -s 64M v5.img v4.img
mkfs.xfs -q -f --unsupported -b size=1024 -p root.proto v5.img
mkfs.xfs -q -f --unsupported -m crc=0 -b size=1024 -p root.proto v4.img
disk() { # disk NAME LABEL: two partitions, ext4 and XFS
    truncate -s 72M "$1"
    printf 'start=2048,size=8192\nstart=10240,size=131072\n' | sfdisk -q --label "$2" "$1"
    dd if=plain.img of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if=v5.img of="$1" bs=1M seek=5 conv=notrunc,sparse status=none
}
disk gpt.img gpt
disk dos.img dos
qemu-img convert -O qcow2 gpt.img plain.qcow2
qemu-img convert -O qcow2 -c -o compression_type=zstd plain.img packed.qcow2
qemu-img convert -O qcow2 -o extended_l2=on,cluster_size=16k v4.img extended.qcow2
qemu-img snapshot -c one extended.qcow2

"$VMFS_TOOLS/flip" "$flips" "$seed" ./*.img ./*.qcow2
