#!/usr/bin/env bash
# XFS file systems that were not unmounted, as they were at many moments under load: every attribute and every byte of every
# file is what the kernel shows after its own recovery of the same bytes.
#   CRASH_COPIES=200 CRASH_KEEP=DIRECTORY    so many copies (default 30); those that differ are kept
# timeout: 900
# alone with: crash copies
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mkfs.xfs xfs_db xfs_io mount losetup diff
wanted=${CRASH_COPIES:-30}
mnt=$scratch/mnt
mkdir "$mnt"
memory=$(mktemp -d /dev/shm/vmfs-test.XXXXXX)
on_exit rm -rf "$memory"
image=$memory/image copy=$memory/copy

agree=0 differ=0 replayed=0 transactions=0 intents=0 refused=0 cuts=0 round=0

# What mkfs.xfs makes, which bits of sb_features_incompat are added to it (0x40: exchange, 0x80: parent pointers, which
# mkfs.xfs may not know yet), how it is mounted, and the load (tests/tools/churn.cc).
variants=(
    '-b size=4096|0|noatime|files'
    '-b size=1024 -m rmapbt=1,reflink=1,bigtime=1,inobtcount=1 -i nrext64=1,sparse=1|0x40|noatime,logbsize=256k|files'
    '-b size=4096 -m rmapbt=1 -i nrext64=1|0x40|noatime,logbsize=32k|maps'
    '-b size=2048 -l su=256k -m rmapbt=1|0|noatime|files'
    '-b size=4096 -l su=32k -m reflink=0,rmapbt=0,finobt=0,bigtime=0,inobtcount=0 -i sparse=0|0|noatime|files'
    '-s size=4096 -l su=4k -i nrext64=1|0xc0|noatime|files'
    '-b size=1024 -n size=8192 -l su=64k|0|noatime,logbsize=64k|files'
    '-i size=1024 -l su=128k -m rmapbt=1,reflink=1|0xc0|noatime|files'
    '-b size=1024 -m reflink=0 -l size=4m|0|noatime,logbsize=16k|files'
    '-b size=4096|0x40|noatime,logbsize=32k|maps'
)

# format MKFS-OPTIONS BITS
format() {
    local old
    rm -f "$image"
    truncate -s 160M "$image"
    # shellcheck disable=SC2086 # options are words
    mkfs.xfs -q -f --unsupported $1 "$image" >"$scratch/log" 2>&1 || fail "mkfs.xfs $1: $(head -n 3 "$scratch/log")"
    [ "$2" != 0 ] || return 0
    old=$(xfs_db -r -c 'sb 0' -c 'print features_incompat' "$image")
    xfs_db -x -c 'sb 0' -c "write -d features_incompat $((${old#*= } | $2))" "$image" >"$scratch/log" 2>&1 ||
        fail "xfs_db: $(cat "$scratch/log")"
}

# Lets the load run for a moment: run_load KIND
run_load() {
    if [ "$1" = maps ]; then
        rm -f "$scratch/ready"
        mkfifo "$scratch/ready"
        "$VMFS_TOOLS/xfs_churn" "$mnt" maps >"$scratch/ready" &
        churn=$!
        read -r _ <"$scratch/ready" || fail "the load did not start"
    else
        "$VMFS_TOOLS/xfs_churn" "$mnt" "$round" "$((8 << (round % 5)))" &
        churn=$!
    fi
    sleep "0.$((1 + round % 4))"
}

stop_load() {
    kill -KILL "$churn"
    wait "$churn" 2>/dev/null || true
}

# What can be compared: of the free space the kernel has given back what unlinked files had; and its runs of data of a file with
# several names depend on what was read before, by another name. Where changes of block maps are finished (a second argument that
# is not 0), the trees of the kernel's files may have a block more or less.
comparable() {
    awk -F '\t' -v OFS='\t' -v finished="$2" '/^# statfs/ { split($0, word, " "); $0 = word[3] " " word[4] } $7 > 1 && $2 == "f" { $NF = "-" } finished && $2 == "f" { $15 = "-" } { print }' "$1"
}

# cut_by_kernel: what only ours has of a file is put out of sight in $scratch/ours where the kernel finished an exchange of
# contents that made the file longer. Linux 6.18 then frees what lies behind the size the file had before, which the inode in
# memory still has when it is dropped (xfs_itruncate_extents_start says so): the file ends in a hole, and ours in its data.
cut_by_kernel() {
    : >"$scratch/cut"
    awk -F '\t' -v OFS='\t' -v note="$scratch/cut" '
        function start_of(runs) { return runs == "-" ? "" : substr(runs, 1, length(runs) - length(end_of(runs))) }
        function end_of(runs) { return match(runs, /[0-9]+$/) ? substr(runs, RSTART) : "" }
        NR == FNR { hash[$1] = $10; runs[$1] = $NF; next }
        $2 == "f" && ($1 in hash) && $10 != hash[$1] && runs[$1] != $NF &&
            index($NF, start_of(runs[$1])) == 1 && end_of(runs[$1]) + 0 < end_of($NF) + 0 {
            $10 = hash[$1]; $NF = runs[$1]; print $1 >note
        }
        { print }' "$scratch/kernel" "$scratch/ours" >"$scratch/cut-ours"
    cuts=$((cuts + $(wc -l <"$scratch/cut")))
    mv "$scratch/cut-ours" "$scratch/ours"
}

# The tree after the kernel's recovery of a file.
kernel_rows() {
    with_loop_mount "$1" xfs rw,noatime,nouuid "$mnt" "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/kernel"
}

# judge FILE WHAT: ours first, for the kernel changes the file
judge() {
    local said status=0 finished=0
    "$VMFS_TOOLS/manifest" image --full --format raw "$1" >"$scratch/ours" 2>"$scratch/messages" || status=$?
    [ "$status" -le 1 ] || { cat "$scratch/messages"; fail "$2: ended by status $status"; }
    if [ -n "${CRASH_KEEP:-}" ]; then cp --sparse=always "$1" "$memory/kept"; fi
    if ! kernel_rows "$1"; then
        refused=$((refused + 1))
        printf '%s: refused by the kernel; %s\n' "$2" "$(tail -n 1 "$scratch/messages")"
        return
    fi
    said=$(grep -a -o 'replayed [0-9]* transactions\?, [0-9]* intent' "$scratch/messages" || true)
    if [[ $said =~ replayed\ ([0-9]+).*,\ ([0-9]+) ]]; then
        [ "${BASH_REMATCH[1]}" -eq 0 ] || replayed=$((replayed + 1))
        transactions=$((transactions + BASH_REMATCH[1]))
        finished=${BASH_REMATCH[2]}
        intents=$((intents + finished))
        [ "$finished" -eq 0 ] || cut_by_kernel
    fi
    if diff -a <(comparable "$scratch/kernel" "$finished") <(comparable "$scratch/ours" "$finished") >"$scratch/diff"; then
        agree=$((agree + 1))
        return
    fi
    differ=$((differ + 1))
    printf '%s: %d lines differ:\n' "$2" "$(grep -a -c '^[<>]' "$scratch/diff")"
    head -n 6 "$scratch/diff" | cut -c 1-300
    tail -n 3 "$scratch/messages"
    [ -z "${CRASH_KEEP:-}" ] || mv "$memory/kept" "$CRASH_KEEP/$round-${2//[^a-z0-9]/-}.img"
}

# crash OPTIONS MOUNT-OPTIONS LOAD: a copy while the load stands still for it, then a shutdown in the midst of it
crash() {
    local device what
    device=$(losetup --find --show "$image")
    mount -t xfs -o "$2,nouuid" "$device" "$mnt" || fail "cannot mount: $1"
    run_load "$3"
    if [ $((round % 2)) -eq 0 ]; then
        kill -STOP "$churn"
        if [ $((round % 4)) -eq 0 ]; then sync -f "$mnt"; fi
        cp --sparse=always "$image" "$copy"
        kill -CONT "$churn"
        sleep 0.1
    fi
    what=shutdown
    [ $((round % 3)) -ne 0 ] || what='shutdown -f'
    xfs_io -x -c "$what" "$mnt"
    stop_load
    umount "$mnt"
    losetup --detach "$device"
    if [ -e "$copy" ]; then
        judge "$copy" "copied while mounted: $1"
        rm -f "$copy"
    fi
    cp --sparse=always "$image" "$copy"
    judge "$copy" "$what: $1"
    rm -f "$copy"
}

while [ $((agree + differ + refused)) -lt "$wanted" ]; do
    for variant in "${variants[@]}"; do
        IFS='|' read -r options bits mount_options load <<<"$variant"
        format "$options" "$bits"
        for _ in 1 2 3; do
            [ $((agree + differ + refused)) -lt "$wanted" ] || break 2
            round=$((round + 1))
            crash "$options" "$mount_options" "$load"
        done
    done
done

printf '%d crash copies as the kernel shows them, %d not, %d refused by the kernel; %d had something to replay: %d transactions, %d intents; %d files cut by the kernel\n' \
    "$agree" "$differ" "$refused" "$replayed" "$transactions" "$intents" "$cuts"
[ "$differ" -eq 0 ] && [ "$cuts" -le $((intents / 10 + 1)) ] && [ "$replayed" -ge $((wanted / 2)) ] && [ "$refused" -le $((wanted / 10)) ]
