#!/usr/bin/env bash
# The processes that read images have no rights left: mounts of root and of an ordinary user, a container's server.
# None reads past the sectors that tell an image's format before that. What is damaged is told before anything is mounted.
# needs: ext4 debian
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mountpoint strace
image=$VMFS_FIXTURES/ext4/ext4-4k.img
mnt=$scratch/mnt
as_user true
install -d -o "$test_user" "$mnt"

# Programs with a sanitizer have no filter.
filter=2
if has_sanitizer "$VMFS"; then filter=0; fi

# sandboxed PID: a line of /proc/PID/status each
sandboxed() {
    local line
    for line in 'NoNewPrivs:.1' "Seccomp:.$filter" 'CapPrm:.0*' 'CapEff:.0*' 'CapInh:.0*' 'CapAmb:.0*'; do
        grep -qx "$line" "/proc/$1/status" || fail "no $line: $(tr '\n' ' ' <"/proc/$1/status")"
    done
    grep -q '^Max core file size *0 *0 ' "/proc/$1/limits" || fail 'it may leave a core file'
}
gone() { [ ! -e "/proc/$1" ]; }
wait_until() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    fail "did not happen: $*"
}

as_root() { "$@"; }

# mount_and_look AS: a mount, and its two processes
mount_and_look() {
    local server helper
    "$1" "$VMFS" mount "$image" "$mnt"
    server=$(pgrep -n -x vmfs)
    helper=$(pgrep -n -x vmfs-mounter)
    sandboxed "$server"
    "$1" test -s "$mnt/sizes/1300001" || fail 'the server does not serve'
    [ -z "$(find "/proc/$helper/fd" -lname "$image" -o -lname /dev/fuse)" ] || fail 'the helper has what is the server'"'"'s'
    "$1" "$VMFS" umount "$mnt"
    gone "$server" || fail 'the server outlives umount'
    wait_until gone "$helper"
}
mount_and_look as_root
mount_and_look as_user

# a container's server
as_user "$VMFS" run "$VMFS_FIXTURES/debian/debian.qcow2" sleep 30 &
container=$!
server_is_there() { server=$(pgrep -n -x vmfs) && grep -qx 'CapEff:.0*' "/proc/$server/status" && pgrep -x vmfs-keeper >/dev/null; }
wait_until server_is_there
sandboxed "$server"
[ "$(find "/proc/$(pgrep -x vmfs-keeper)/fd" -lname /dev/fuse | wc -l)" -eq 0 ] || fail 'the keeper keeps the connection'
pkill -TERM -x vmfs-init || true
wait "$container" || true
wait_until gone "$server"

# reads_in_the_sandbox VERB ARGUMENT...: the first and the last sector of a raw image, then the filter, then all else.
# The process that is there first, the launcher, reads no more if another process has the filter.
raw=$VMFS_FIXTURES/debian/debian.raw
reads_in_the_sandbox() {
    strace -f -y -qq -e trace=pread64,preadv,preadv2,read,readv,seccomp -o "$scratch/trace" "$VMFS" "$@" >/dev/null
    awk -v image="<$raw>" -v last="$(($(stat -c %s "$raw") - 512))" '
        NR == 1 { launcher = $1 }
        /seccomp\(/ && !filter { filter = $1 }
        index($0, image) == 0 { next }
        filter && ($1 != launcher || filter == launcher) { inside++; next }
        $0 !~ ", 512, (0|" last ")\\) += 512$" { print; bad = 1 }
        END { if (bad || inside < 10) { print inside " reads in the sandbox"; exit 1 } }' "$scratch/trace" ||
        fail "$1 reads the image outside the sandbox"
}
if [ "$filter" -ne 0 ]; then
    reads_in_the_sandbox ls "$raw" /etc
    reads_in_the_sandbox inspect "$raw"
    reads_in_the_sandbox run "$raw" true
fi

# one line, status 1, no mount, no process
cp --sparse=always "$image" "$scratch/damaged.img"
dd if=/dev/urandom of="$scratch/damaged.img" bs=1024 seek=1 count=1 conv=notrunc status=none
printf '\x53\xef' | dd of="$scratch/damaged.img" bs=1 seek=$((1024 + 56)) conv=notrunc status=none
for how in '' -f; do
    status=0
    # shellcheck disable=SC2086 # no word where empty
    "$VMFS" mount $how "$scratch/damaged.img" "$mnt" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] || fail "status $status"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "not one line: $(cat "$scratch/err")"
    ! mountpoint -q "$mnt" || fail 'it is mounted'
done
wait_until eval '! pgrep -x vmfs-mounter >/dev/null'

printf 'no rights are left\n'
