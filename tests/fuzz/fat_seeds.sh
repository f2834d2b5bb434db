#!/usr/bin/env bash
# Makes fuzz/corpus/fat anew, a small volume of each width: fat_seeds.sh DIRECTORY (environment as for the tests). Run by
# hand.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need mkfs.vfat mcopy mdel python3
directory=$(realpath "$1")
export LC_ALL=C.UTF-8 TZ=UTC MTOOLS_SKIP_CHECK=1

mkdir -p "$scratch/tree/Sub directory/below" "$scratch/tree/UPPER"
printf 'x\n' >"$scratch/tree/Sub directory/größe 😀 of a name that takes four entries.txt"
printf 'y\n' >"$scratch/tree/UPPER/FILE.TXT"
for i in $(seq 20); do : >"$scratch/tree/Sub directory/below/number $i"; done
head -c 9000 /dev/zero | tr '\0' a >"$scratch/tree/long"
find "$scratch/tree" -exec touch -d 2001-02-03 {} +

# The parts of an image that are not zero, as a SparseImage (tests/tools/sparse_image.h).
nonzero() {
    python3 -c '
import struct, sys
image = sys.stdin.buffer.read()
out, start = struct.pack("<I", len(image) // 512), None
for at in range(0, len(image) + 8, 8):
    if any(image[at:at + 8]):
        if start is None: start = at
    elif start is not None:
        out += struct.pack("<IH", start // 8, (at - start) // 8) + image[start:at]
        start = None
sys.stdout.buffer.write(out)'
}

# seed NAME SIZE MKFS-OPTION...
seed() {
    local image=$scratch/$1.img
    truncate -s "$2" "$image"
    mkfs.vfat -n SEED -i 1234ABCD "${@:3}" "$image" >/dev/null
    mcopy -s -m -i "$image" "$scratch"/tree/* ::/
    mdel -i "$image" '::/Sub directory/below/number 3'
    nonzero <"$image" >"$directory/$1"
    printf '%s: %d bytes\n' "$1" "$(stat -c %s "$directory/$1")"
}
seed fat12 300K -F 12 -s 1 -r 32
seed fat16 5M -F 16 -s 1 -r 32
seed fat32 34M -F 32 -s 1
