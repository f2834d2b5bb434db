#!/usr/bin/env bash
# Every attribute and every byte of every file of every ext fixture is what the kernel's own driver shows.
# needs: ext4
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff tune2fs
fixtures=$VMFS_FIXTURES/ext4
wrong=0 right=0

# judge NAME EXPECTED GOT
judge() {
    if diff "$2" "$3" >"$scratch/diff"; then
        right=$((right + 1))
        return
    fi
    printf '%s: %d lines differ:\n' "$1" "$(grep -c '^[<>]' "$scratch/diff")"
    head -n 8 "$scratch/diff" | cut -c 1-400
    wrong=$((wrong + 1))
}

ours() {
    "$VMFS_TOOLS/manifest" image --full "$@" >"$scratch/ours" 2>"$scratch/messages" || cat "$scratch/messages"
}

for image in "$fixtures"/*.img; do
    name=$(basename "$image" .img)
    case $name in blocks-*) continue ;; esac
    expected=$fixtures/$name.tsv
    if [ ! -f "$expected" ]; then
        expected=$scratch/kernel
        with_loop_mount "$image" ext4 ro,noload "$scratch/mnt" \
            "$VMFS_TOOLS/manifest" dir --full "$scratch/mnt" >"$expected" || fail "$name: the kernel cannot mount it"
    fi
    ours --norecovery "$image"
    judge "$name" "$expected" "$scratch/ours"
done

# Names that no key opens show the hash of the directory's own index, whatever the default of new ones is.
cp --sparse=always "$fixtures/encrypt-1024.img" "$scratch/encrypt.img"
tune2fs -E hash_alg=tea "$scratch/encrypt.img" >/dev/null
with_loop_mount "$scratch/encrypt.img" ext4 ro,noload "$scratch/mnt" \
    "$VMFS_TOOLS/manifest" dir --full "$scratch/mnt" >"$scratch/kernel"
ours --norecovery "$scratch/encrypt.img"
judge 'encrypt-1024 with another default hash' "$scratch/kernel" "$scratch/ours"

# What no kernel mounts here holds what mke2fs copied into it; the copy has inode numbers and times of its own.
copied_columns() {
    grep -v '^#' "$1" | awk -F '\t' -v OFS='\t' '$2 == "d" { $6 = $7 = "-" } { print $1, $2, $3, $4, $5, $6, $7, $10, $11 }'
}
with_loop_mount "$fixtures/ext4-4k.img" ext4 ro,noload "$scratch/mnt" \
    "$VMFS_TOOLS/manifest" dir "$scratch/mnt" >"$scratch/kernel"
copied_columns "$scratch/kernel" >"$scratch/kernel.copied"
for image in "$fixtures"/blocks-*.img; do
    ours "$image"
    copied_columns "$scratch/ours" >"$scratch/ours.copied"
    judge "$(basename "$image" .img)" "$scratch/kernel.copied" "$scratch/ours.copied"
done

printf '%d images as the kernel shows them, %d not\n' "$right" "$wrong"
[ "$wrong" -eq 0 ]
