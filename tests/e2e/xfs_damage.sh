#!/usr/bin/env bash
# Bits that flipped in the metadata of XFS hurt what they hurt in the kernel, with the same errors, or less: one inode
# without its magic number makes the kernel refuse all of its block.
# needs: xfs
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount awk
fixtures=$VMFS_FIXTURES/xfs
image=$(mktemp /dev/shm/vmfs-test.XXXXXX)
on_exit rm -f "$image"
hurt=0

# The kernel's hex dumps of what it refuses take most of the time.
level=/proc/sys/fs/xfs/error_level
if [ -w "$level" ]; then
    on_exit eval "echo $(cat "$level") >$level"
    echo 0 >"$level"
fi

# Paths where we show something else, although the kernel has no error there or in a directory above.
disagreements() {
    awk -F '\t' '
        function hurt(path) {
            while (kernel[path] !~ /ERR:/) {
                if (path == "." || path == "") return 0
                if (!sub("/[^/]*$", "", path)) path = "."
            }
            return 1
        }
        NR == FNR { kernel[$1] = $0; next }
        kernel[$1] != $0 && !/^#/ && !hurt($1) { print substr($0, 1, 300) }
    ' "$scratch/kernel" "$scratch/ours"
}

seed=0
for name in plain blocks-1024 everything dir-blocks-64k; do
    seed=$((seed + 1))
    cp --sparse=always "$fixtures/$name.img" "$image"
    "$VMFS_TOOLS/metadata" damage "$image" 6 "$seed"
    with_loop_mount "$image" xfs ro,norecovery,nouuid "$scratch/mnt" \
        "$VMFS_TOOLS/manifest" dir --full "$scratch/mnt" >"$scratch/kernel" 2>/dev/null || true
    "$VMFS_TOOLS/manifest" image --full --norecovery "$image" >"$scratch/ours" 2>/dev/null || true
    hurt=$((hurt + $(grep -a -c 'ERR:' "$scratch/ours" || true)))
    disagreements >"$scratch/wrong"
    [ ! -s "$scratch/wrong" ] || fail "$name, seed $seed: $(head -n 3 "$scratch/wrong")"
done
printf '%d errors, all of them the kernel'"'"'s too\n' "$hurt"
[ "$hurt" -ge 6 ] || fail 'hardly anything was hurt'
