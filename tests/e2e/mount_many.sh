#!/usr/bin/env bash
# Fifty mounts of one image at a time; MOUNTS mounts one after the other (default 40; a night: 1000); one mount that is
# walked again and again: no process, mount, connection, descriptor or memory is left behind.
# needs: ext4
# timeout: 120
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need python3 cmp
image=$VMFS_FIXTURES/ext4/ext4-4k.img
mnt=$scratch/mnt
mkdir "$mnt"

wait_until() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    fail "did not happen: $*"
}
no_process() { ! pgrep -x vmfs >/dev/null && ! pgrep -x vmfs-mounter >/dev/null; }
listing() { (cd "$1" && find . -printf '%p %M %U %G %s %T@ %l\n' | LC_ALL=C sort); }

# at a time
for number in {1..50}; do
    mkdir "$scratch/$number"
    "$VMFS" mount "$image" "$scratch/$number"
done
listing "$scratch/1" >"$scratch/first"
[ "$(wc -l <"$scratch/first")" -gt 100 ] || fail 'next to nothing is there'
for number in {2..50}; do
    listing "$scratch/$number" | cmp - "$scratch/first" || fail "mount $number shows something else"
done
for number in {1..50}; do "$VMFS" umount "$scratch/$number"; done
wait_until no_process

# one after the other
before=$(find /proc/self/fd -mindepth 1 | wc -l)
for ((i = 0; i < ${MOUNTS:-40}; i++)); do
    "$VMFS" mount "$image" "$mnt"
    [ -d "$mnt/lost+found" ] || fail "mount $i is empty"
    "$VMFS" umount "$mnt"
done
wait_until no_process
! mount_left fuse.vmfs || fail 'a mount is left'
[ "$(find /proc/self/fd -mindepth 1 | wc -l)" -eq "$before" ] || fail 'a descriptor is left'

# for a long time
"$VMFS" mount "$image" "$mnt"
server=$(pgrep -n -x vmfs)
use() { awk '/^RssAnon/ { print $2 }' "/proc/$server/status"; }
files() { find "/proc/$server/fd" -mindepth 1 | wc -l; }
# What the kernel keeps would not be asked for again: contents are dropped, and attributes never kept.
walk() {
    python3 - "$mnt" <<'END'
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for path in (os.path.join(folder, name) for name in names):
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        try:
            os.listxattr(path)
            with open(path, 'rb') as file:
                size = 0
                while part := file.read(1 << 20):
                    size += len(part)
                    if size > 1 << 23:
                        break
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            pass
END
}
for i in {1..3}; do walk; done
memory=$(use) descriptors=$(files)
for i in {1..8}; do walk; done
[ "$(files)" -le $((descriptors + 20)) ] || fail "descriptors: $descriptors, then $(files)" # a pipe for each new thread
if ! has_sanitizer "$VMFS"; then
    [ "$(use)" -le $((memory + 8192)) ] || fail "memory: $memory KiB, then $(use)"
fi
"$VMFS" umount "$mnt"
wait_until no_process
printf '%s KiB, nothing left behind\n' "$memory"
