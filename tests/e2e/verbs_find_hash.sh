#!/usr/bin/env bash
# `vmfs find` and `vmfs hash` print what find, sorted, and sha256sum print on the kernel's mount of the same image.
# needs: ext4 debian
# timeout: 300
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff find sha256sum python3 script mkfs.ext4 debugfs
export LC_ALL=C TZ=UTC
mnt=$scratch/mnt compared=0

judge() {
    cmp -s "$scratch/expected" "$scratch/got" || {
        diff -a "$scratch/expected" "$scratch/got" | head -n 10 | cut -c 1-300
        fail "$(basename "$image"): $*: differs"
    }
    compared=$((compared + 1))
}

# found WORD...: find's answer is ours; it may not be empty unless $may_be_empty is set
may_be_empty=
found() {
    (cd "$mnt" && find "$@" -print0) 2>"$scratch/err" | sort -z >"$scratch/expected"
    "$VMFS" find "$image" "$@" -print0 | sort -z >"$scratch/got" || fail "find $*: status $?"
    [ -n "$may_be_empty" ] || [ -s "$scratch/expected" ] || fail "$(basename "$image"): find $*: finds nothing"
    judge find "$@"
}

# what both images have
any_tree() {
    found .
    found . -maxdepth 1
    found . -mindepth 2 -maxdepth 3
    found . -type d
    found . -type l,f -name '*[0-9]'
    found . ! -type f ! -type d
    found . -type f -size +8
    found . -type f -size -2k
    found . -size 1c -o -size 4k
    found . -size -100k -size +20w -type f
    found . -perm 644
    found . -perm -u+rw,g+r
    found . -perm /u+x,g+x -type f
    found . -perm u=rw,go=r
    found . -not -perm -o=r
    found . -empty
    found . -type f -empty -o -type d -not -empty
    found . -links +1 -type f
    found . -uid 0
    found . -gid +0 -o -uid -1
    found . -inum -100
    found . '(' -name '*a*' -o -name '*b*' ')' -a -not -path '*/c*'
    found . -iname '*A*' -path './*e*'
    found . -newermt 2001-09-09
    found . -mtime -400 -mtime -401
    may_be_empty=1
    found . -mtime +3
    found . -mtime 0
    found . -size 0
    found . -newermt '1999-12-31 23:59:59.5' -not -newermt @1795338440.5
    found . -newermt '2300-01-01T00:00 +0100'
    may_be_empty=
    found . -name lost+found -prune -o -type d
    found . -name x , -type d
    found lost+found .
    found lost+found/ ./lost+found//
    (cd "$mnt" && find . ! -name '*e*' ! -name $'*\n*') | sort >"$scratch/expected"
    "$VMFS" find "$image" . ! -name '*e*' ! -name $'*\n*' | sort >"$scratch/got"
    judge find without an action
}

debian_tree() {
    any_tree
    found . -user root -group shadow
    found . -user _apt
    found . -perm -4000
    found . -newer etc/passwd
    found bin bin/ etc/os-release
    found etc -iname 'PASSWD*'
    found usr/share/doc/bash usr -path '*/doc/[a-c]*' -name copyright
    (cd "$mnt" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$scratch/expected"
    "$VMFS" hash "$image" >"$scratch/got"
    judge hash
}

zoo_tree() {
    any_tree
    found . -type p,s,c,b
    found . -perm -1000 -o -perm /6000
    found names -name '*\\*'
    (cd "$mnt" && find . -type f -size -100000k -print0 | sort -z | xargs -0 sha256sum) >"$scratch/expected"
    mapfile -d '' -t small < <("$VMFS" find "$image" . -type f -size -100000k -print0)
    "$VMFS" hash "$image" "${small[@]}" >"$scratch/got"
    judge hash
    "$VMFS" hash --json "$image" names links | python3 -c '
import hashlib, json, os, sys
files = json.load(sys.stdin)
assert any(f.get("path_hex") for f in files)
for f in files:
    path = os.path.join(os.fsencode(sys.argv[1]), bytes.fromhex(f["path_hex"]) if "path_hex" in f else f["path"].encode())
    data = open(path, "rb").read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (f["size"], f["sha256"]), f' "$mnt"
}

for image in "$VMFS_FIXTURES"/ext4/{ext4-4k,inline-data}.img; do
    with_loop_mount "$image" ext4 ro,noload "$mnt" zoo_tree
done
image=$VMFS_FIXTURES/debian/debian.qcow2
with_loop_mount "$VMFS_FIXTURES/debian/debian.raw" ext4 ro,noload,offset=1048576 "$mnt" with_guest_accounts "$mnt" debian_tree

# expect STATUS PATTERN COMMAND...
expect() {
    local status=0
    "${@:3}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1: ${*:3}: $(cat "$scratch/err")"
    grep -qE -e "$2" "$scratch/err" || fail "no '$2' in: $(cat "$scratch/err")"
}
[ "$("$VMFS" find "$image" -maxdepth 1 -name etc)" = /etc ] || fail 'the default path'
[ "$("$VMFS" find --partition 1 "$image" etc -maxdepth 1 -name passwd)" = etc/passwd ] || fail 'an option before the image'
expect 2 "unknown predicate '-colour'" "$VMFS" find "$image" / -colour red
expect 2 "'\)' is missing" "$VMFS" find "$image" / '(' -name x
expect 2 "-name needs a word" "$VMFS" find "$image" -name
expect 2 "not the name of a user of the guest" "$VMFS" find "$image" -user nobody-at-all
expect 2 "too early" "$VMFS" find "$image" -name x -o
expect 2 "not expected here" "$VMFS" find "$image" -name x etc
expect 2 "not a size" "$VMFS" find "$image" -size 1x
expect 2 "not a mode" "$VMFS" find "$image" -perm 9
expect 2 "not a time" "$VMFS" find "$image" -newermt yesterday
expect 1 "cannot access '/absent': No such file or directory" "$VMFS" find "$image" /absent /etc/hostname
[ "$(cat "$scratch/out")" = /etc/hostname ] || fail 'find did not go on'
expect 1 "cannot access '/absent'" "$VMFS" hash "$image" /absent
expect 1 'No space left' bash -c '"$1" hash "$2" etc >/dev/full' - "$VMFS" "$image"
script -qec "'$VMFS' find '$VMFS_FIXTURES/ext4/ext4-4k.img' names" /dev/null </dev/null >"$scratch/terminal"
grep -qF 'new\x0aline' "$scratch/terminal" || fail 'a newline reached the terminal'
# A damaged tree that holds itself is walked once.
mkdir -p "$scratch/tree/a/b/c"
truncate -s 4M "$scratch/loop.img"
mkfs.ext4 -q -F -d "$scratch/tree" "$scratch/loop.img"
debugfs -w -R 'link a a/b/c/again' "$scratch/loop.img" 2>/dev/null
for verb in find 'ls -R' tar hash; do
    # shellcheck disable=SC2086 # a verb and its option
    expect 1 'more than once' timeout 20 "$VMFS" $verb "$scratch/loop.img"
done
expect 1 'more than once' timeout 20 "$VMFS" cp -a "$scratch/loop.img" / "$scratch/tree"
expect 1 'leads back' timeout 20 "$VMFS" cp -rL "$scratch/loop.img" /a "$scratch/tree"

# as an ordinary user, and into sha256sum
cp --reflink=auto "$image" "$scratch/debian.qcow2"
chmod 0644 "$scratch/debian.qcow2"
mkdir "$scratch/copy"
"$VMFS" cp -r "$image" etc/apt "$scratch/copy"
(cd "$scratch/copy" && as_user "$VMFS" hash "$scratch/debian.qcow2" etc/apt | sed 's, etc/, ,' | sha256sum --check --quiet)
printf '%d outputs are those of the real programs\n' "$compared"
