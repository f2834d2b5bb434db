# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# The group "counts" of bench/compare.sh: what a busy machine cannot change, each counted once.
need strace valgrind

# files_of_walk, bytes_of_tar: what `same` has written down of the tree at hand
files_of_walk() { cut -d ' ' -f 1 "$scratch/seen.walk.$tree"; }
bytes_of_tar() { cat "$scratch/seen.tar.$tree"; }

quotient() { awk "BEGIN { print $1 / $2 }"; }

bytes_read() { awk '/^read_bytes/ { print $2 }' "/proc/$1/io"; }

# count_calls SYSTEM WORK: requests a file and system calls a request while WORK runs on a cold mount. Every request is one
# read(2) of the server, which reads images by pread64(2).
count_calls() {
    local server tracer requests calls
    show "$1"
    server=$(server_of "$1")
    drop_caches
    strace -f -q -c -o "$scratch/calls" -p "$server" &
    tracer=$!
    while [ "$(awk '/^TracerPid/ { print $2 }' "/proc/$server/status")" -eq 0 ]; do sleep 0.01; done
    "$2"
    kill -INT "$tracer"
    wait "$tracer" || true
    hide "$1"
    requests=$(awk '$NF == "read" { print $4 }' "$scratch/calls")
    calls=$(awk '$NF == "total" { print $4 }' "$scratch/calls")
    record counts "$1" "requests a file, $2" "$(quotient "$requests" "$(files_of_walk)")"
    record counts "$1" "system calls a request, $2" "$(quotient "$calls" "$requests")"
}

# What a reader of everything must have at least: inodes and the contents of directories.
bytes_of_metadata() {
    local inode=256
    case $1 in *-xfs) inode=512 ;; esac
    find "$mnt" -xdev -printf '%y %s\n' | awk -v inode="$inode" '{ sum += inode; if ($1 == "d") sum += $2 } END { print sum }'
}

# What the server has read from the disk, of each cold walk and archive.
count_bytes() {
    local server before after
    show "$1"
    server=$(server_of "$1")
    drop_caches
    before=$(bytes_read "$server")
    walk
    after=$(bytes_read "$server")
    record counts "$1" 'bytes read a file, walk' "$(quotient "($after - $before)" "$(files_of_walk)")"
    record counts "$1" 'bytes read a byte of inodes and directories, walk' "$(quotient "($after - $before)" "$(bytes_of_metadata "$1")")"
    drop_caches
    before=$(bytes_read "$server")
    archive
    record counts "$1" 'bytes read a byte served, archive' "$(quotient "($(bytes_read "$server") - $before)" "$(bytes_of_tar)")"
    hide "$1"
}

# Of a walk without a mount: what the kernel does is not counted, and no clock is asked.
count_instructions() {
    local events files
    files=$(valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind" --log-file="$scratch/valgrind.log" \
        "$unconfined" find "$(image_of "$1")" / -printf '%s\n' | wc -l)
    events=$(awk '/^summary:/ { print $2 }' "$scratch/callgrind")
    record counts "$1" 'instructions a file, vmfs find' "$(quotient "$events" "$files")"
}

for system in vmfs vmfs-qcow2 vmfs-zlib vmfs-xfs; do
    count_bytes "$system"
    count_calls "$system" walk
    count_calls "$system" archive
    count_instructions "$system"
done
