#!/usr/bin/env bash
# What we show of a dirty ext3 or ext4, journal replayed in memory, is what the kernel shows of a copy that it recovered.
# The file systems are left behind by a running load: copied while mounted, or shut down in the middle of it.
# CRASH_COPIES=200 takes more copies; CRASH_SEED another load; CRASH_VARIANTS only those whose name matches.
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mke2fs mount losetup sfdisk python3 cmp
copies=${CRASH_COPIES:-40}
seed=${CRASH_SEED:-1}
equal=0 replayed=0 refused=0 wrong=0 number=0 mountable=no

# NAME|mke2fs options|mount options|churn options
variants=(
    'ext4-4k|-t ext4 -b 4096|data=ordered|'
    'ext4-1k|-t ext4 -b 1024|data=ordered|'
    'ext4-data-journal|-t ext4 -b 1024 -J size=4|data=journal|'
    'ext4-writeback|-t ext4 -b 4096|data=writeback|'
    'ext4-csum-v1|-t ext4 -b 1024 -O ^metadata_csum|journal_checksum|'
    'ext4-async|-t ext4 -b 1024 -O ^metadata_csum|journal_async_commit,data=writeback|'
    'ext4-async-csum|-t ext4 -b 4096|journal_async_commit,data=writeback|'
    'ext4-32bit|-t ext4 -b 1024 -O ^64bit,^metadata_csum -J size=1|nodelalloc|'
    'ext4-32bit-csum|-t ext4 -b 1024 -O ^64bit -J size=1|commit=1|'
    'ext3|-t ext3 -b 1024 -J size=1|data=ordered|'
    'ext3-journal|-t ext3 -b 4096 -J size=4|data=journal|'
    'inline|-t ext4 -b 1024 -I 256 -O inline_data|data=ordered|'
    'bigalloc|-t ext4 -b 1024 -C 4096 -O bigalloc|data=ordered|'
    'orphan-file|-t ext4 -b 1024 -O orphan_file|data=ordered|'
    'external-4k|-t ext4 -b 4096|data=ordered|'
    'external-1k|-t ext4 -b 1024|data=journal|'
    'fast-commit|-t ext4 -b 4096 -O fast_commit|data=ordered|--plain'
    'fast-commit-1k|-t ext4 -b 1024 -O fast_commit|data=ordered|--plain'
)

# Times that the kernel's recovery took from the clock are nobody's; ours are those on the disk.
cat >"$scratch/compare.py" <<'EOF'
import sys
kernel, ours, since = sys.argv[1], sys.argv[2], float(sys.argv[3])
def rows(path):
    with open(path, encoding="ascii") as lines:
        return [line.rstrip("\n").split("\t") for line in lines]
a, b = rows(kernel), rows(ours)
read = set()
for x, y in zip(a, b):
    if len(x) != len(y) or len(x) < 12 or x[0] == "path":
        continue
    # Once it was read through another name, the kernel takes preallocated space that it caches for data.
    if x[7] in read and x[7] == y[7]:
        x[-1] = y[-1]
    read.add(x[7])
    for column in (8, 12):  # mtime, ctime
        if x[column] != y[column] and float(x[column]) >= since:
            x[column] = y[column] = "recovery"
different = [(x, y) for x, y in zip(a, b) if x != y]
for x, y in different[:4]:
    print("  kernel:", *[p for p, q in zip(x, y) if p != q], "of", x[0])
    print("  ours:  ", *[q for p, q in zip(x, y) if p != q], "of", y[0])
if len(a) != len(b):
    print("  kernel has", len(a), "lines, ours", len(b))
    names = {x[0] for x in a} ^ {y[0] for y in b}
    print("  only one has", *sorted(names)[:4])
sys.exit(1 if different or len(a) != len(b) else 0)
EOF

# A file system with an external journal is the first partition of a disk, and its journal the second.
partition_of() { if [[ $1 = external-* ]]; then echo "--volume p1"; fi; }

# Makes loop devices of an image: attach NAME FILE
attach() {
    if [[ $1 = external-* ]]; then
        journal_device=$(losetup --find --show --offset $((26 << 20)) --sizelimit $((8 << 20)) "$2")
        device=$(losetup --find --show --offset $((1 << 20)) --sizelimit $((24 << 20)) "$2")
        journal_option=,journal_path=$journal_device
    else
        device=$(losetup --find --show "$2")
        journal_device='' journal_option=''
    fi
}

detach() {
    losetup --detach "$device"
    [ -z "$journal_device" ] || losetup --detach "$journal_device"
}

# Prints the tree as the kernel shows it after its recovery, or returns 32. A loop device made by a read-only mount would be
# read-only too, and then there is no recovery. A read-only mount replays fast commits without what needs a transaction
# (DEL_RANGE above all), and forgets them: that loses data, so they are left to a writable mount.
kernel_tree() {
    local name=$1 status=32
    attach "$name" "$2"
    mkdir -p "$scratch/seen"
    if { [[ $name != fast-commit* ]] || { mount -t ext4 "$device" "$scratch/seen" && umount "$scratch/seen"; }; } &&
        mount -t ext4 -o "ro$journal_option" "$device" "$scratch/seen"; then
        status=0
        "$VMFS_TOOLS/manifest" dir --full "$scratch/seen" || status=$?
        umount "$scratch/seen"
    fi 2>"$scratch/mount.log"
    detach
    return "$status"
}

# The same with the journal in an image of its own, which is named or not: judge_apart NAME DISK
judge_apart() {
    local system=$scratch/apart.img journal=$scratch/journal.img status=0
    dd if="$2" of="$system" bs=1M skip=1 count=24 conv=sparse status=none
    dd if="$2" of="$journal" bs=1M skip=26 count=8 conv=sparse status=none
    "$VMFS_TOOLS/manifest" image --full --volume journal --add "$journal" "$system" >"$scratch/apart" 2>/dev/null || true
    cmp "$scratch/ours" "$scratch/apart" || fail "$1: the journal in another image makes a difference"
    grep -q replayed "$scratch/messages" || return 0
    "$VMFS_TOOLS/manifest" image --volume journal "$system" >/dev/null 2>"$scratch/apart" || status=$?
    [ "$status" -le 1 ] || fail "$1: status $status without the journal"
    grep -q 'lies on another device, which is not at hand' "$scratch/apart" || fail "$1: no warning: $(cat "$scratch/apart")"
}

# judge NAME IMAGE
judge() {
    local name=$1 image=$2 since
    since=$(date +%s.%N) mountable=yes
    cp --sparse=always "$image" "$scratch/recovered.img"
    if ! kernel_tree "$name" "$scratch/recovered.img" >"$scratch/kernel"; then
        refused=$((refused + 1)) mountable=no
        "$VMFS_TOOLS/manifest" image "$image" >"$scratch/ours" 2>"$scratch/messages" || [ $? -eq 1 ] || wrong=$((wrong + 1))
        printf '%s: the kernel refuses it, we: %s\n' "$name" "$(tail -n 1 "$scratch/messages")"
        return
    fi
    # shellcheck disable=SC2046 # options
    "$VMFS_TOOLS/manifest" image --full $(partition_of "$name") "$image" >"$scratch/ours" 2>"$scratch/messages" || true
    grep -q 'replayed' "$scratch/messages" && replayed=$((replayed + 1))
    [[ $name != external-* ]] || judge_apart "$name" "$image"
    if python3 "$scratch/compare.py" "$scratch/kernel" "$scratch/ours" "$since" >"$scratch/diff"; then
        equal=$((equal + 1))
        return
    fi
    wrong=$((wrong + 1))
    printf '%s differs:\n' "$name"
    cut -c 1-400 "$scratch/diff"
    cat "$scratch/messages"
    [ -z "${CRASH_KEEP:-}" ] || cp --sparse=always "$image" "$CRASH_KEEP/$name.$number.img"
}

# Copies a file that the kernel may still write to, as it is at one moment: twice the same.
copy_at_once() {
    cp --sparse=always "$1" "$2"
    until cmp -s "$1" "$2"; do cp --sparse=always "$1" "$2"; done
}

make_disk() {
    local disk=$scratch/disk.img journal=()
    rm -f "$disk"
    truncate -s 35M "$disk"
    if [[ $1 = external-* ]]; then
        printf 'start=1MiB,size=24MiB\nstart=26MiB,size=8MiB\n' | sfdisk -q --label gpt "$disk"
    else
        truncate -s 24M "$disk"
    fi
    attach "$1" "$disk"
    if [ -n "$journal_device" ]; then
        mke2fs -q -F -O journal_dev -b "${2##*-b }" "$journal_device" || fail "$1: mke2fs failed"
        journal=(-J "device=$journal_device")
    fi
    # shellcheck disable=SC2086 # options
    mke2fs -q -F -L journal $2 "${journal[@]}" "$device" >/dev/null 2>&1 || fail "$1: mke2fs failed"
    detach
    mountable=yes
}

# A load, stopped for one copy, then shut down in its middle for another.
crash_twice() {
    local name=$1 mount_options=$2 churn_options=$3 load
    # A kernel that refuses the recovery of its own fast commits refuses the next round too.
    [ "$mountable" = yes ] || make_disk "$name" "$make_options"
    attach "$name" "$scratch/disk.img"
    mount -t ext4 -o "$mount_options$journal_option" "$device" "$scratch/mnt" || fail "$name: cannot be mounted"
    # shellcheck disable=SC2086 # options
    "$VMFS_TOOLS/churn" "$scratch/mnt" --seed $((seed + number)) $churn_options &
    load=$!
    sleep "0.$((RANDOM % 4 + 1))"
    kill -STOP "$load"
    copy_at_once "$scratch/disk.img" "$scratch/copy.img"
    kill -CONT "$load"
    sleep "0.0$((RANDOM % 9 + 1))"
    "$VMFS_TOOLS/churn" "$scratch/mnt" --shutdown $((number / 2 % 3)) || fail "$name: cannot be shut down"
    wait "$load" || fail "$name: the load failed"
    umount "$scratch/mnt"
    detach
    judge "$name, while mounted" "$scratch/copy.img"
    judge "$name, shut down by $((number / 2 % 3))" "$scratch/disk.img"
    number=$((number + 2))
}

mkdir -p "$scratch/mnt"
used=0
for variant in "${variants[@]}"; do
    [[ $variant =~ ${CRASH_VARIANTS:-.} ]] && used=$((used + 1))
done
rounds=$(((copies + 2 * used - 1) / (2 * used)))
for variant in "${variants[@]}"; do
    [[ $variant =~ ${CRASH_VARIANTS:-.} ]] || continue
    IFS='|' read -r name make_options mount_options churn_options <<<"$variant"
    make_disk "$name" "$make_options"
    for ((round = 0; round < rounds; ++round)); do crash_twice "$name" "$mount_options" "$churn_options"; done
done

printf '%d copies: %d trees agree with the kernel, %d of them replayed something; %d refused by the kernel; %d wrong\n' \
    "$number" "$equal" "$replayed" "$refused" "$wrong"
[ "$wrong" -eq 0 ] && [ "$equal" -gt 0 ]
