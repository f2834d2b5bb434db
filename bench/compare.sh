#!/usr/bin/env bash
# Compares ways to show a Debian root that lies in a virtual machine's disk, in interleaved rounds:
#   bench/compare.sh [--rounds N] [--vmfs PROGRAM] [--results FILE] [GROUP...]
# GROUP is any of raw qcow2 compressed xfs reads verbs replay scale sandbox counts, which are the default, or guestmount;
# bench/README.md says what each is.
# Prints a table a group; with --results FILE writes them there, and a plot beside it (FILE with .png for its ending).
# Needs root: for loop mounts, and to drop the kernel's caches before each cold measurement. The images it is made of are
# kept in build/bench.
set -euo pipefail
VMFS_SOURCE=$(cd "$(dirname "$0")/.." && pwd)
: "${VMFS:=$VMFS_SOURCE/build/release/launcher/vmfs}" "${VMFS_TOOLS:=}" "${VMFS_FIXTURES:=}"
export VMFS VMFS_TOOLS VMFS_FIXTURES VMFS_SOURCE
. "$VMFS_SOURCE/packages.sh"
[ "$EUID" -ne 0 ] || install_packages image bench
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
. "$VMFS_SOURCE/bench/lib.sh"
. "$VMFS_SOURCE/bench/systems.sh"
. "$VMFS_SOURCE/bench/images.sh"

rounds=7 results="" groups=()
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --vmfs) VMFS=$2; shift 2 ;;
    --results) results=$2; shift 2 ;;
    -*) fail "unknown option $1" ;;
    *) groups+=("$1"); shift ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(raw qcow2 compressed xfs reads verbs replay scale sandbox counts)
need fuse2fs qcowmount qemu-storage-daemon qemu-img mount find tar pgrep fio

# Directories are left out of the sum: a file system may give them any size.
walk() {
    same "walk.$tree" "$(find "$mnt" -xdev -printf '%y %s\n' | awk '{ files++; if ($1 != "d") bytes += $2 } END { print files, bytes }')"
}

# tar does not read at all when its output is /dev/null.
archive() {
    same "tar.$tree" "$(tar --exclude ./big -C "$mnt" -cf - . 2>"$scratch/tar.log" | wc -c)"
}

read_big() {
    same big "$(dd if="$mnt/big" bs=1M status=none | wc -c)"
}

# Sixteen readers at once, each of a sixteenth of the large file's length from a place of its own.
read_in_parallel() {
    local part reader
    for ((part = 0; part < 16; part++)); do
        dd if="$mnt/big" of=/dev/null bs=1M skip=$((part * big_megabytes / 16)) count=$((big_megabytes / 16)) status=none &
    done
    for reader in $(jobs -p); do wait "$reader"; done
}

# random_reads GROUP SYSTEM JOBS NAME: thousands of reads of 4 KiB a second
random_reads() {
    local report
    report=$(fio --name=random --filename="$mnt/big" --readonly --rw=randread --bs=4k --ioengine=psync --numjobs="$3" \
        --size="${big_megabytes}M" --runtime=3 --time_based --group_reporting --invalidate=0 --randseed=1 --output-format=json)
    record "$1" "$2" "$4" "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["read"]["iops"] / 1000)' <<<"$report")"
}

# The shell looks itself: a program for it would have to be read from the disk too, with the libraries that it may or
# may not share with what is measured.
show_and_look() {
    show "$1"
    [ -e "$mnt/etc/os-release" ]
}

show_and_list() {
    show "$1"
    ls "$mnt" >/dev/null
}

measure_mount() {
    drop_caches
    timed "$1" "$2" 'mount until live, cold (s)' show_and_look "$2"
    hide "$2"
    drop_caches
    ls / >/dev/null
    timed "$1" "$2" 'mount and ls, cold but for ls (s)' show_and_list "$2"
    hide "$2"
    timed "$1" "$2" 'mount until live, warm (s)' show_and_look "$2"
}

measure_tree() {
    drop_caches
    timed "$1" "$2" 'walk, cold (s)' walk
    timed "$1" "$2" 'walk, warm (s)' walk
    drop_caches
    timed "$1" "$2" 'tar, cold (s)' archive
    timed "$1" "$2" 'tar, warm (s)' archive
}

measure_servers() {
    local use
    use=$(server_use "$2")
    [ -n "$use" ] || return 0
    record "$1" "$2" 'server memory at most (MiB)' "${use% *}"
    record "$1" "$2" 'server CPU, all of the above (s)' "${use#* }"
}

# Systems of one group, which $group names.
measure_system() {
    measure_mount "$group" "$1"
    measure_tree "$group" "$1"
    measure_servers "$group" "$1"
    hide "$1"
}

measure_compressed() {
    show "$1"
    drop_caches
    timed "compressed, ${1##*-}" "$1" 'tar, cold (s)' archive
    timed "compressed, ${1##*-}" "$1" 'tar, warm (s)' archive
    measure_servers "compressed, ${1##*-}" "$1"
    hide "$1"
}

measure_xfs() {
    show "$1"
    measure_tree xfs "$1"
    measure_servers xfs "$1"
    hide "$1"
}

measure_reads() {
    show "$1"
    drop_caches
    timed reads "$1" "read $big_megabytes MiB, cold (s)" read_big
    timed reads "$1" "read $big_megabytes MiB, warm (s)" read_big
    drop_caches
    timed reads "$1" '16 readers at once, cold (s)' read_in_parallel
    timed reads "$1" '16 readers at once, warm (s)' read_in_parallel
    random_reads reads "$1" 1 'random 4 KiB reads, 1 job, warm (1000/s)'
    random_reads reads "$1" 4 'random 4 KiB reads, 4 jobs, warm (1000/s)'
    drop_caches
    random_reads reads "$1" 1 'random 4 KiB reads, 1 job, cold (1000/s)'
    drop_caches
    random_reads reads "$1" 4 'random 4 KiB reads, 4 jobs, cold (1000/s)'
    measure_servers reads "$1"
    hide "$1"
}

# The same work per file on trees of very different sizes, so times are microseconds a file.
measure_scale() {
    local files start end temperature
    show "$1"
    drop_caches
    for temperature in cold warm; do
        start=${EPOCHREALTIME/[.,]/}
        files=$(find "$mnt" -xdev -printf '%s\n' | wc -l)
        end=${EPOCHREALTIME/[.,]/}
        record "scale, ${1%%-*}" "${1#*-}" "walk, $temperature (µs a file)" "$(awk "BEGIN { print ($end - $start) / $files }")"
    done
    [ -z "$(server_use "$1")" ] || record "scale, ${1%%-*}" "${1#*-}" 'server memory at most (MiB)' "$(server_use "$1" | cut -d ' ' -f 1)"
    hide "$1"
}

measure_size() {
    drop_caches
    timed 'size of the disk' "${1#*-}" 'mount until live, cold (s)' show "$1"
    hide "$1"
    timed 'size of the disk' "${1#*-}" 'mount until live, warm (s)' show "$1"
    hide "$1"
}

# A minute each, so neither dropped caches nor rounds make a difference. No tar: its hard links are not seen as such there.
measure_guestmount() {
    timed guestmount "$1" 'mount until live, warm (s)' show_and_look "$1"
    timed guestmount "$1" 'walk, first (s)' walk
    timed guestmount "$1" 'walk, again (s)' walk
    hide "$1"
}

make_unconfined() {
    make_debian
    cmake --build "$VMFS_SOURCE/build/release" --target vmfs-unconfined >"$scratch/build.log" 2>&1 || fail "$(tail "$scratch/build.log")"
}

# A verb that has little else to do.
list_root() {
    local i program=$VMFS
    [ "$1" != vmfs-unconfined ] || program=$unconfined
    for ((i = 0; i < 20; i++)); do "$program" ls "$images/debian.raw" / >/dev/null; done
}

measure_sandbox() {
    timed sandbox "$1" 'ls of the root directory, 20 times, warm (s)' list_root "$1"
    measure_system "$1"
}

for group in "${groups[@]}"; do
    tree=debian
    case $group in
    raw) make_debian && interleaved "$rounds" measure_system kernel vmfs fuse2fs ;;
    qcow2) make_qcow2 && interleaved "$rounds" measure_system kernel-export vmfs-qcow2 fuse2fs-export kernel-qcowmount ;;
    compressed)
        make_compressed
        interleaved "$rounds" measure_compressed kernel-export-zlib vmfs-zlib
        interleaved "$rounds" measure_compressed kernel-export-zstd vmfs-zstd
        ;;
    xfs) make_xfs && interleaved "$rounds" measure_xfs kernel-xfs vmfs-xfs vmfs ;;
    reads) make_qcow2 && interleaved "$rounds" measure_reads kernel vmfs vmfs-qcow2 ;;
    verbs) make_cat && . "$VMFS_SOURCE/bench/verbs.sh" ;;
    replay) make_journals && . "$VMFS_SOURCE/bench/replay.sh" ;;
    scale)
        make_scale
        interleaved "$rounds" measure_scale {kernel,vmfs}-{small,million,wide}
        interleaved "$rounds" measure_size vmfs-{gibibyte,tebibyte}
        ;;
    sandbox) make_unconfined && interleaved "$rounds" measure_sandbox vmfs-unconfined vmfs ;;
    guestmount) need guestmount && make_debian && interleaved 1 measure_guestmount kernel vmfs guestmount ;;
    counts) make_xfs && make_compressed && make_unconfined && . "$VMFS_SOURCE/bench/counts.sh" ;;
    *) fail "unknown group $group" ;;
    esac
done

report() {
    # shellcheck disable=SC2016 # Markdown
    printf '# Results\n\nOf `bench/compare.sh`; bench/README.md says what was measured and how to read it.\n'
    printf 'Linux %s, %d processors; %d rounds.\n' "$(uname -r)" "$(nproc)" "$rounds"
    "$VMFS_SOURCE/bench/report.py" "$scratch/values" "$@"
}

if [ -n "$results" ]; then
    report --plot "${results%.*}.png" | tee "$results"
    printf '\n![times as multiples of the first system of each group](%s)\n' "$(basename "${results%.*}.png")" >>"$results"
else
    report
fi
