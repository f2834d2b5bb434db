#!/usr/bin/env bash
# How mounts of an ordinary user begin and end: what the mount table says, signals, a killed server, a busy mount.
# needs: ext4
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need fusermount3 findmnt mountpoint
image=$VMFS_FIXTURES/ext4/ext4-4k.img
mnt=$scratch/mnt
as_user true
install -d -o "$test_user" "$mnt" "$scratch/other"
# A copy, so that the name of the source is ours and has a comma and a blank in it.
copy="$scratch/an image, with comma.img"
cp --sparse=always "$image" "$copy"
chmod 0644 "$copy"

vmfs() { as_user "$VMFS" "$@"; }

# expect STATUS PATTERN COMMAND...: the command's exit status, and what is on its standard error
expect() {
    local status=0
    "${@:3}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1: ${*:3}: $(cat "$scratch/err")"
    grep -qE -e "$2" "$scratch/err" || [ -z "$2" ] || fail "no '$2' in: $(cat "$scratch/err")"
    [ "$1" -ne 1 ] || [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "not one line: $(cat "$scratch/err")"
}

# The server itself is the older one where another process watches over it.
server() { pgrep -o -u "$test_user" -x vmfs; }
servers() { pgrep -u "$test_user" -x vmfs || true; }
wait_until() {
    local i
    for ((i = 0; i < 100; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    fail "did not happen: $*"
}
no_server() { [ -z "$(servers)" ]; }
not_mounted() { ! grep -q " $mnt fuse" /proc/self/mounts; }

# the mount table; the server outlives the command and its terminal's signals
before=$(sha256sum <"$copy")
vmfs mount "$copy" "$mnt"
[ "$(findmnt -n -o FSTYPE "$mnt")" = fuse.vmfs ] || fail 'file system type'
[ "$(findmnt -n -o SOURCE "$mnt")" = "$copy" ] || fail "source $(findmnt -n -o SOURCE "$mnt")"
options=,$(findmnt -n -o OPTIONS "$mnt"),
for word in ro nosuid nodev; do [[ $options == *,$word,* ]] || fail "not $word: $options"; done
server=$(server)
[ "$(ps -o sid= -p "$server" | tr -d ' ')" = "$server" ] || fail 'the server has no session of its own'
[ "$(readlink "/proc/$server/cwd")" = / ] || fail 'the server keeps a directory busy'
for fd in 0 1 2; do [ "$(readlink "/proc/$server/fd/$fd")" = /dev/null ] || fail "the server keeps stream $fd"; done
as_user test -d "$mnt/lost+found" || fail 'nothing there'

# nothing can be written
expect 1 'Read-only file system' as_user touch "$mnt/new"

# umount waits for the server
vmfs umount "$mnt"
no_server || fail 'umount did not wait for the server'
not_mounted || fail 'still mounted'
[ "$(sha256sum <"$copy")" = "$before" ] || fail 'the image was written'

# busy: who is it; then lazily
vmfs mount "$copy" "$mnt"
as_user bash -c 'cd "$1" && exec sleep 60' - "$mnt" &
holder_is_there() { holder=$(pgrep -u "$test_user" -x sleep); }
wait_until holder_is_there
expect 1 "in use by sleep \(pid $holder\)" vmfs umount "$mnt"
vmfs umount --lazy "$mnt"
not_mounted || fail 'not detached'
kill "$holder"
wait_until no_server

# a killed server leaves a mount that umount clears, and mount says so
vmfs mount "$copy" "$mnt"
kill -KILL "$(server)"
wait_until no_server
expect 1 'Transport endpoint is not connected' as_user stat "$mnt"
expect 1 'vmfs umount' vmfs mount "$copy" "$mnt"
vmfs umount "$mnt"
not_mounted || fail 'the dead mount is still there'

# with auto_unmount it clears itself
vmfs mount -o auto_unmount "$copy" "$mnt"
kill -KILL "$(server)"
wait_until not_mounted

# signals unmount, in the background and in the foreground
for signal in TERM INT HUP; do
    vmfs mount "$copy" "$mnt"
    kill -"$signal" "$(server)"
    wait_until no_server
    not_mounted || fail "SIG$signal left the mount"
done
vmfs mount -f "$copy" "$mnt" &
wait_until grep -q " $mnt fuse" /proc/self/mounts
kill -TERM "$(server)"
wait "$!" || fail "-f ended with status $? after SIGTERM"
not_mounted || fail 'SIGTERM left the mount of -f'

# two mounts of one image, and one over the other
vmfs mount "$copy" "$mnt"
vmfs mount "$copy" "$scratch/other"
[ "$(servers | wc -l)" -eq 2 ] || fail 'two mounts, not two servers'
vmfs umount "$scratch/other"
vmfs umount "$mnt"
no_server || fail 'servers left'

# an fstab-like call, squashed owners and masks
vmfs mount -o defaults,noatime,nofail,x-systemd.automount,uid=7,gid=8,umask=077,partition=disk "$copy" "$mnt" ||
    vmfs mount -o defaults,noatime,nofail,x-systemd.automount,uid=7,gid=8,umask=077 "$copy" "$mnt"
[ "$(as_user stat -c '%u:%g %a' "$mnt")" = '7:8 700' ] || fail "squashed: $(as_user stat -c '%u:%g %a' "$mnt")"
vmfs umount "$mnt"

# a relative mount point, and one behind a link: what is mounted is unmounted, nothing else
mkdir "$scratch/mnt-of-nobody"
(cd "$scratch" && as_user "$VMFS" mount "$copy" mnt)
kill -TERM "$(server)"
wait_until no_server
not_mounted || fail 'the mount at a relative path is still there'
ln -s mnt "$scratch/link"
vmfs mount -o auto_unmount "$copy" "$scratch/link"
kill -KILL "$(server)"
wait_until not_mounted
vmfs mount "$copy" "$scratch/link"
expect 1 'is mounted here already' vmfs mount "$copy" "$mnt"
vmfs umount "$scratch/link"
not_mounted || fail 'still mounted behind the link'

# the server keeps nothing of its caller's open
exec 7>"$scratch/lock"
flock 7
vmfs mount "$copy" "$mnt"
exec 7>&-
flock --nonblock "$scratch/lock" true || fail "the server holds its caller's lock"

# a server that hangs does not make umount hang
kill -STOP "$(server)"
as_user timeout 20 "$VMFS" umount --lazy "$mnt" || fail 'umount --lazy of a stuck server'
kill -KILL "$(server)"
wait_until no_server

# messages that cannot be written are lost, the mount is not
cp --sparse=always "$image" "$scratch/short.img"
chmod 0644 "$scratch/short.img"
as_user "$VMFS" mount -f "$scratch/short.img" "$mnt" 2>/dev/full &
wait_until grep -q " $mnt fuse" /proc/self/mounts
as_user test -s "$mnt/sizes/1300001"
# an image cut short under the mount: an error, never a file that ends early
truncate -s 1M "$scratch/short.img"
expect 1 'Input/output error' as_user cat "$mnt/sizes/1300001"
kill -0 "$(server)" || fail 'the server did not survive an error message'
vmfs umount "$mnt"
wait_until no_server

# inside a user namespace no fusermount3 is needed
as_user unshare --user --map-root-user --mount bash -euc '
    mkdir "$3/bin" && PATH=$3/bin "$0" mount "$1" "$2"
    test -d "$2/lost+found"
    "$0" umount "$2"
    ! mountpoint -q "$2"' "$VMFS" "$copy" "$mnt" "$scratch/other"
wait_until no_server

# what is wrong, in one line, with what to do
expect 1 'No such file' vmfs mount "$copy" "$scratch/absent"
expect 1 'not a directory' vmfs mount "$copy" "$copy"
expect 1 'No such file' vmfs mount "$scratch/absent.img" "$mnt"
expect 1 'directory of your own' vmfs mount "$copy" /usr
expect 1 'never written' vmfs mount -o rw "$copy" "$mnt"
expect 2 'unknown option' vmfs mount -o colour=red "$copy" "$mnt"
expect 2 '' vmfs mount "$copy"
expect 1 'not mounted' vmfs umount "$mnt"
expect 1 'not ours' vmfs umount /proc
grep -q '^user_allow_other' /etc/fuse.conf || expect 1 'user_allow_other' vmfs mount -o allow_other "$copy" "$mnt"
expect 1 'no known file system|nothing' vmfs mount /etc/passwd "$mnt"
expect 1 'cannot write to standard output' bash -c '"$0" inspect "$1" >/dev/full' "$VMFS" "$copy"
printf '\033]0;x\007\nnext' >"$scratch/name"
touch "$scratch/$(cat "$scratch/name").qcow2"
expect 1 '\\x1b\]0;x\\x07\\x0anext' vmfs mount "$scratch/$(cat "$scratch/name").qcow2" "$mnt"
no_server || fail 'a server is left'
