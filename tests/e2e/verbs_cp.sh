#!/usr/bin/env bash
# `vmfs cp -a` makes the tree that the kernel shows of the image; nothing in an image leads it out of its target.
# needs: ext4 debian
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mount diff mkfs.ext4 debugfs getfattr getfacl setfacl
export LC_ALL=C
mnt=$scratch/mnt
debian=$VMFS_FIXTURES/debian/debian

show() {
    "$VMFS_TOOLS/manifest" dir --full "$1" | awk -F '\t' -v OFS='\t' '!/^#/ && $1 != "lost+found" {
        if ($2 == "d") $6 = "-"
        print $1, $2, $3, $4, $5, $6, $7, $9, $10, $11, $18 }'
}

copy_and_show() {
    rmdir "$mnt/lost+found"
    "$VMFS" cp -a "$1" / "$mnt" >"$scratch/out" 2>"$scratch/err" || fail "$1: $(head -n 3 "$scratch/err")"
    [ ! -s "$scratch/err" ] || fail "$1: something was not kept: $(cat "$scratch/err")"
    show "$mnt" >"$scratch/got"
}

# whole IMAGE KERNEL-IMAGE OPTIONS: a copy of everything onto a fresh file system
whole() {
    with_loop_mount "$2" ext4 "$3" "$mnt" show "$mnt" >"$scratch/expected"
    rm -f "$scratch/target.img"
    truncate -s 3G "$scratch/target.img"
    mkfs.ext4 -q -F -I 1024 "$scratch/target.img"
    with_loop_mount "$scratch/target.img" ext4 rw "$mnt" copy_and_show "$1"
    diff -a "$scratch/expected" "$scratch/got" >"$scratch/diff" || {
        head -n 10 "$scratch/diff" | cut -c 1-300
        fail "$1: $(grep -ac '^[<>]' "$scratch/diff") lines differ"
    }
}
for name in ext4-4k ext4-1k inline-data; do
    whole "$VMFS_FIXTURES/ext4/$name.img" "$VMFS_FIXTURES/ext4/$name.img" ro,noload
done
whole "$debian.qcow2" "$debian.raw" ro,noload,offset=1048576

# expect STATUS PATTERN COMMAND...
expect() {
    local status=0
    "${@:3}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1: ${*:3}: $(cat "$scratch/err")"
    grep -qE -e "$2" "$scratch/err" || [ -z "$2" ] || fail "no '$2' in: $(cat "$scratch/err")"
}

# names, as cp(1) gives them
umask 027
to=$scratch/to
mkdir "$to"
"$VMFS" cp "$debian.raw" /etc/os-release "$to"
[ "$(stat -c '%F %a' "$to/os-release")" = 'regular file 640' ] || fail 'cp follows links and obeys the umask'
"$VMFS" cp "$debian.raw" etc/hostname /etc/passwd "$to/"
"$VMFS" cp "$debian.raw" etc/hostname "$to/passwd"
[ "$(cat "$to/passwd")" = debian ] || fail 'a file in the way is not replaced'
"$VMFS" cp -r "$debian.raw" /etc/apt "$to"
"$VMFS" cp -r "$debian.raw" /etc/apt "$to/new"
"$VMFS" cp -r "$debian.raw" /etc/apt/. "$to/into"
diff -r "$to/apt" "$to/new"
diff -r "$to/apt" "$to/into"
"$VMFS" cp -rL "$debian.raw" /etc/alternatives "$to" 2>/dev/null || true
[ "$(stat -c %F "$to/alternatives/awk")" = 'regular file' ] || fail '-L does not follow links'
expect 1 "cannot copy '/etc': Is a directory" "$VMFS" cp "$debian.raw" /etc "$to"
expect 1 'No such file' "$VMFS" cp "$debian.raw" /absent "$to"
expect 1 'No such file' "$VMFS" cp "$debian.raw" /etc/passwd "$to/absent/passwd"
expect 1 'no directory for several' "$VMFS" cp "$debian.raw" /etc/passwd /etc/group "$to/passwd"
expect 1 'in the way' "$VMFS" cp -r "$debian.raw" /etc/apt/. "$to/passwd"
expect 2 'where to' "$VMFS" cp "$debian.raw" /etc/passwd
umask 022
chmod 0755 "$to"

# an ordinary user keeps what he may, and is told of the rest
cp --reflink=auto "$VMFS_FIXTURES/ext4/ext4-4k.img" "$scratch/zoo.img"
chmod 0644 "$scratch/zoo.img"
as_user true
install -d -o "$test_user" "$to/user"
expect 1 "not kept: owner and group of [0-9]* files \(only root" as_user "$VMFS" cp -a "$scratch/zoo.img" / "$to/user"
grep -q "^vmfs: not kept: trusted.overlay.opaque of 1 files$" "$scratch/err" || fail "not told: $(cat "$scratch/err")"
grep -q "^vmfs: cannot copy '//*special/null': Operation not permitted$" "$scratch/err" ||
    grep -q "cannot copy '//*special/.*': Operation not permitted" "$scratch/err" || fail "no word of devices: $(cat "$scratch/err")"
[ -z "$(find "$to/user" -perm /6000 -type f)" ] || fail 'setuid without the owner'
getfattr --absolute-names -h -n user.short "$to/user/xattrs/every-namespace" >/dev/null
[ "$(stat -c %Y "$to/user/links/file")" -eq "$("$VMFS" stat -c %Y "$scratch/zoo.img" links/file)" ] || fail 'times'

# An image that wants out: names with slashes, a directory and a link of the same name, "..", and links in the target.
evil=$scratch/evil.img
mkdir -p "$scratch/source/dirA" "$scratch/source/dirB" "$scratch/outside"
echo pwned >"$scratch/source/dirA/pwned"
ln -s "$scratch/outside" "$scratch/source/linkX"
echo pwned >"$scratch/source/AAAAAAAAAAAAAAAA"
echo pwned >"$scratch/source/..PARENT"
truncate -s 4M "$evil"
mkfs.ext4 -q -F -b 1024 -O ^metadata_csum,^dir_index,^has_journal -d "$scratch/source" "$evil"
python3 - "$evil" <<'EOF'
import sys
image = open(sys.argv[1], 'r+b')
data = image.read()
for old, new in ((b'AAAAAAAAAAAAAAAA', b'../outside/pwned'), (b'..PARENT', b'../../pw'), (b'linkX', b'dirA\0'), ):
    at = data.index(old)
    data = data[:at] + new + data[at + len(old):]
# the link becomes a second "dirA"
at = data.index(b'dirA\0')
at = at if data[at - 2] == 5 else data.index(b'dirA\0', at + 1)
data = data[:at - 2] + b'\4' + data[at - 1:]
image.seek(0)
image.write(data)
EOF
[ "$("$VMFS" ls "$evil" 2>/dev/null | grep -c '^dirA$')" -eq 2 ] || fail 'the image is not as evil as it should be'
mkdir "$to/evil"
expect 1 'are no name' "$VMFS" cp -a "$evil" / "$to/evil"
[ -z "$(ls -A "$scratch/outside")" ] || fail "written outside: $(ls -A "$scratch/outside")"
[ -z "$(find "$scratch" -maxdepth 2 -name 'pw*')" ] || fail 'written above'
mkdir "$to/trap"
ln -s "$scratch/outside" "$to/trap/apt"
ln -s "$scratch/outside/passwd" "$to/trap/passwd"
expect 1 'in the way' "$VMFS" cp -a "$debian.raw" /etc/apt /etc/passwd "$to/trap"
[ -z "$(ls -A "$scratch/outside")" ] || fail "a link in the target was followed: $(ls -A "$scratch/outside")"
[ "$(stat -c %F "$to/trap/passwd")" = 'regular file' ] || fail 'a link in the way of a file is not replaced'

# An inherited access list is not what the image says.
mkdir "$to/acl"
setfacl -d -m u:1234:rwx "$to/acl"
"$VMFS" cp -a "$debian.raw" /etc/apt "$to/acl"
! getfacl -pcR "$to/acl/apt" | grep 1234 >/dev/null || fail 'an inherited access list stayed'
printf 'four images copied as the kernel shows them, and nothing beside\n'
