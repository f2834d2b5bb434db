# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# The group "replay" of bench/compare.sh: disks whose journal of 64 MiB is full of what is not in place yet. The kernel
# replays it into a copy, which is made before the clock runs; vmfs does so in memory, each time.

root_of_copy() {
    mount -o "loop,offset=$offset" "$scratch/copy.raw" "$mnt"
    names_at "$mnt"
    umount "$mnt"
}
root_of_image() { "$VMFS" ls "$(image_of "$1")" / 2>"$scratch/replayed" >"$scratch/names"; }
names_at() { (cd "$1" && printf '%s\n' *) >"$scratch/names"; }

# peak_of COMMAND...: MiB that it had resident at most
peak_of() {
    python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)' "$@"
}

measure_replay() {
    local group="replay, ${1#*-}"
    case $1 in
    kernel-*)
        cp --sparse=always "$(image_of "$1")" "$scratch/copy.raw"
        sync
        timed "$group" "$1" 'mount and list the root (s)' root_of_copy
        rm "$scratch/copy.raw"
        ;;
    vmfs-*)
        timed "$group" "$1" 'mount and list the root (s)' root_of_image "$1"
        record "$group" "$1" 'memory at most (MiB)' "$(peak_of "$VMFS" ls "$(image_of "$1")" /)"
        ;;
    esac
    same "replay.$group" "$(sort "$scratch/names" | sha256sum)"
}

for journal in jbd2 xfslog; do
    interleaved "$rounds" measure_replay "kernel-$journal" "vmfs-$journal"
    cat "$scratch/replayed" >&2
done
