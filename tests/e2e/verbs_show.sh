#!/usr/bin/env bash
# `vmfs ls`, `stat` and `cat` print, byte for byte, what ls, stat and cat print on the kernel's mount of the same image.
# needs: ext4 debian
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff ls stat cat python3 script
export LC_ALL=C TZ=UTC
mnt=$scratch/mnt compared=0

# same WORD...: `vmfs VERB IMAGE WORD...` prints what `VERB WORD...` prints in the mounted tree; $filter may cut what no
# image can know
filter=(cat)
same() {
    local verb=$1 status=0
    shift
    (cd "$mnt" && "$verb" "$@") 2>"$scratch/err" | "${filter[@]}" >"$scratch/expected" || true
    "$VMFS" "$verb" "$image" "$@" >"$scratch/got" 2>"$scratch/err" || status=$?
    [ "$status" -eq 0 ] || fail "$verb ${*:1:8}: status $status: $(head -n 3 "$scratch/err")"
    cmp -s "$scratch/expected" "$scratch/got" || {
        diff -a "$scratch/expected" "$scratch/got" | head -n 10 | cut -c 1-300
        fail "$(basename "$image"): $verb ${*:1:8}: differs"
    }
    compared=$((compared + 1))
}

compare_tree() {
    local paths files directory
    same ls -lAiR .
    same ls -R .
    for directory in links etc; do [ ! -d "$mnt/$directory" ] || same ls -lai "$directory"; done
    same ls -lhSAR .
    same ls -lntrAR .
    same ls -1iAR .
    same ls -ld . lost+found
    same ls -dr lost+found .
    (cd "$mnt" && find . -xdev -printf '%P\0') >"$scratch/paths"
    mapfile -d '' -t -n 8000 paths < <(grep -zv '^$' "$scratch/paths")
    filter=(sed 's/^Device: [0-9]*,[0-9]*/Device: 0,0/')
    same stat -- "${paths[@]}"
    filter=(cat)
    same stat -c '%n|%a|%04a|%#a|%A|%b|%B|%f|%F|%g|%6g|%-6u|%h|%i|%o|%s|%020s|%t:%T|%r|%Hr,%Lr|%U|%G|%w|%W|%x|%X|%.3X|%Y|%.9Z|%%' \
        -- "${paths[@]}"
    (cd "$mnt" && find . -xdev -type f -size -4097k -printf '%P\0') >"$scratch/paths"
    mapfile -d '' -t -n 3000 files <"$scratch/paths"
    same cat -- "${files[@]}"
}

for name in ext4-4k ext4-1k inline-data ext2-1k; do
    image=$VMFS_FIXTURES/ext4/$name.img
    with_loop_mount "$image" ext4 ro,noload "$mnt" with_guest_accounts "$mnt" compare_tree
done
for image in "$VMFS_FIXTURES/debian/debian.raw" "$VMFS_FIXTURES/debian/debian.qcow2"; do
    with_loop_mount "$VMFS_FIXTURES/debian/debian.raw" ext4 ro,noload,offset=1048576 "$mnt" with_guest_accounts "$mnt" compare_tree
done

# Links lead inside the image only; options may stand anywhere; the verbs need no /dev/fuse and no rights.
image=$VMFS_FIXTURES/debian/debian.qcow2
chmod_copy=$scratch/debian.qcow2
cp --reflink=auto "$image" "$chmod_copy"
chmod 0644 "$chmod_copy"
[ "$(as_user "$VMFS" cat "$chmod_copy" /etc/os-release)" = "$("$VMFS" cat "$image" usr/lib/os-release)" ] || fail 'os-release'
[ "$("$VMFS" ls "$image" /bin/../../../../etc/hostname)" = /bin/../../../../etc/hostname ] || fail '".." at the root'
[ "$("$VMFS" ls "$image" bin | wc -l)" -gt 100 ] || fail 'a link to a directory is not followed'
[ "$("$VMFS" ls -l "$image" bin | wc -l)" -eq 1 ] || fail 'ls -l follows a link'
[ "$("$VMFS" ls -p 1 "$image" --format qcow2 -d etc)" = etc ] || fail 'options after the image'
"$VMFS" ls --json -A "$image" / /etc | python3 -c '
import json, sys
root, etc = json.load(sys.stdin)
assert root["path"] == "/" and etc["path"] == "/etc", (root["path"], etc["path"])
link = next(e for e in root["entries"] if e["name"] == "bin")
assert (link["type"], link["target"], link["user"]) == ("symlink", "usr/bin", "root"), link
assert any(e["name"] == "passwd" and e["mode"] == "0644" for e in etc["entries"])'
"$VMFS" stat --json "$VMFS_FIXTURES/ext4/ext4-4k.img" xattrs/every-namespace | python3 -c '
import json, sys
[file] = json.load(sys.stdin)
assert {"user.short", "security.capability", "trusted.overlay.opaque"} <= {x["name"] for x in file["xattrs"]}, file'

# A terminal gets columns, and no control characters of a name.
script -qec "stty cols 60; '$VMFS' ls '$VMFS_FIXTURES/ext4/ext4-4k.img' names" /dev/null </dev/null >"$scratch/terminal"
grep -qF 'new\x0aline' "$scratch/terminal" || fail 'a newline reached the terminal'
! grep -q $'\x01' "$scratch/terminal" || fail 'a control character reached the terminal'

# expect STATUS PATTERN COMMAND...
expect() {
    local status=0
    "${@:3}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1: ${*:3}"
    grep -qE -e "$2" "$scratch/err" || fail "no '$2' in: $(cat "$scratch/err")"
}
expect 1 "^vmfs: cannot access '/absent': No such file or directory$" "$VMFS" ls "$image" /absent /etc
grep -q '^hostname$' "$scratch/out" || fail 'what is there is not listed'
expect 1 "^vmfs: cannot open '/etc': Is a directory$" "$VMFS" cat "$image" /etc /etc/hostname
[ "$(cat "$scratch/out")" = debian ] || fail 'cat did not go on'
expect 1 "Not a directory" "$VMFS" stat "$image" /etc/hostname/x
expect 2 'no such directive' "$VMFS" stat -c %Q "$image" /
expect 2 '' "$VMFS" cat "$image"
expect 1 'write error: No space left' bash -c '"$1" cat "$2" /usr/bin/bash >/dev/full' - "$VMFS" "$image"
expect 1 'write error: No space left' bash -c '"$1" ls "$2" >/dev/full' - "$VMFS" "$image"
printf '%d outputs are those of the real programs\n' "$compared"
