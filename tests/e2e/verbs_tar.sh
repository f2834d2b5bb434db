#!/usr/bin/env bash
# What `vmfs tar` writes, GNU tar and bsdtar unpack to the very tree that the kernel shows of the image.
# needs: ext4 debian
# timeout: 300
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff tar bsdtar mkfs.ext4 script python3
export LC_ALL=C

# The columns that an archive can keep, without sizes of directories; sockets are in no archive.
kept_columns() {
    grep -v '^#' | awk -F '\t' -v OFS='\t' '$2 != "s" && $1 != "lost+found" {
        if ($2 == "d") $6 = "-"
        if ($1 ~ /^special$|^lost/) $7 = "-"
        print $1, $2, $3, $4, $5, $6, $7, $9, $10, $11, $18 }'
}

show() { "$VMFS_TOOLS/manifest" dir --full "$1" | kept_columns; }

unpack_and_show() {
    rmdir "$mnt/lost+found"
    "$@" <"$scratch/archive" 2>"$scratch/messages" || fail "$1: $(head -n 3 "$scratch/messages")"
    show "$mnt" >"$scratch/got"
}

# A fresh file system that has room for everything, unpacked into by COMMAND...
unpack() {
    rm -f "$scratch/target.img"
    truncate -s 3G "$scratch/target.img"
    mkfs.ext4 -q -F -I 1024 "$scratch/target.img"
    with_loop_mount "$scratch/target.img" ext4 rw "$mnt" unpack_and_show "$@"
}

compare() {
    diff -a "$scratch/expected" "$scratch/got" >"$scratch/diff" && return
    head -n 10 "$scratch/diff" | cut -c 1-300
    fail "$1: $(grep -ac '^[<>]' "$scratch/diff") lines differ"
}

mnt=$scratch/mnt
round_trip() {
    local image=$1 kernel_image=$2 options=$3
    with_loop_mount "$kernel_image" ext4 "$options" "$mnt" show "$mnt" >"$scratch/expected"
    "$VMFS" tar "$image" >"$scratch/archive" 2>"$scratch/messages" || fail "$image: $(cat "$scratch/messages")"
    unpack tar -x -p --numeric-owner --acls --xattrs --xattrs-include='*' -C "$mnt"
    compare "$(basename "$image") by GNU tar"
    # bsdtar leaves the folder it unpacks into as it was, and reads fractions before the epoch as if they went forward.
    unpack bsdtar -x -p --numeric-owner -C "$mnt"
    for list in expected got; do
        grep -avE $'^(\\.|times/-[^\t]*\\.[0-9]*[1-9][0-9]*)\t' "$scratch/$list" >"$scratch/list"
        mv "$scratch/list" "$scratch/$list"
    done
    compare "$(basename "$image") by bsdtar"
}

for name in ext4-4k ext4-1k inline-data; do
    image=$VMFS_FIXTURES/ext4/$name.img
    round_trip "$image" "$image" ro,noload
    grep -q "^vmfs: ./special/socket: socket ignored$" <("$VMFS" tar "$image" 2>&1 >/dev/null) || fail 'no word of the socket'
done
debian=$VMFS_FIXTURES/debian
round_trip "$debian/debian.qcow2" "$debian/debian.raw" ro,noload,offset=1048576
members=$(tar -t <"$scratch/archive" | wc -l)
[ "$members" -gt 5000 ] || fail "only $members members"
python3 -c 'import sys, tarfile; assert len(tarfile.open(sys.argv[1]).getmembers()) == int(sys.argv[2])' "$scratch/archive" "$members"

# parts of an image, to a file, as an ordinary user
cp --reflink=auto "$debian/debian.qcow2" "$scratch/debian.qcow2"
chmod 0644 "$scratch/debian.qcow2"
install -d -m 0777 "$scratch/user"
as_user "$VMFS" tar -f "$scratch/user/etc.tar" "$scratch/debian.qcow2" /etc/../etc/passwd bin usr/share/doc/base-files
[ "$(tar -tf "$scratch/user/etc.tar" | head -n 3 | tr '\n' ' ')" = 'etc/passwd bin usr/share/doc/base-files/ ' ] ||
    fail "members: $(tar -tf "$scratch/user/etc.tar" | head)"
[ $(($(stat -c %s "$scratch/user/etc.tar") % 10240)) -eq 0 ] || fail 'no whole records'

# expect STATUS PATTERN COMMAND...
expect() {
    local status=0
    "${@:3}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1: ${*:3}"
    grep -qE -e "$2" "$scratch/err" "$scratch/out" || fail "no '$2' in: $(cat "$scratch/err")"
}
expect 1 "^.*vmfs: cannot access '/absent': No such file or directory$" "$VMFS" tar -f "$scratch/partly" "$debian/debian.raw" /absent etc
tar -tf "$scratch/partly" etc/passwd >/dev/null
expect 1 'write error: No space left' bash -c '"$1" tar "$2" >/dev/full' - "$VMFS" "$debian/debian.raw"
expect 2 'refusing to write an archive to a terminal' script -qec "'$VMFS' tar '$debian/debian.raw'" /dev/null
printf 'four images, unpacked twice each, are what the kernel shows\n'
