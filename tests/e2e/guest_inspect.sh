#!/usr/bin/env bash
# `vmfs inspect` tells what a guest is and where its file systems go, as text and as JSON of a fixed schema, of many images
# at once; `mount --all` shows each volume under the name that it tells.
# needs: guest fat
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need jq blkid lsblk sfdisk script
export LC_ALL=C.UTF-8
image=$VMFS_FIXTURES/guest/guest.img
"$VMFS" inspect --json "$image" >"$scratch/json" 2>"$scratch/warnings"

# holds FILTER: the JSON is so
holds() { jq -e "$1" "$scratch/json" >/dev/null || fail "not so: $1: $(jq -c "${2:-.guests}" "$scratch/json" | cut -c 1-2000)"; }
image=$image jq -e '.path == $ENV.image' "$scratch/json" >/dev/null || fail 'path'
# The schema: names and types of everything.
holds '(.chain | length) == 1 and (.chain[0] | .path, .format | type == "string")'
holds '.partition_table | (.kind == "gpt") and (.sector_size == 512) and (.id | type == "string")'
holds '[.volumes[].name] == ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"]'
holds 'all(.volumes[]; (.size | type == "number") and (.directories | type == "array") and (.partition.number | type == "number"))'
holds '.volume_groups == []'
holds '[.volumes[] | select(.filesystem) | .filesystem.type] == ["vfat", "ext4", "ext4", "xfs", "ext4", "ext4", "ext4", "ext4"]'
holds '[.volumes[].directories] == [["/boot/efi"], ["/boot"], ["/"], [], ["/home"], ["//var/"], ["/var/log"], ["/srv"], []]'
holds '.volumes[3] | .content.type == "swap" and (.error | type == "string")'
holds '.guests | length == 1'
holds '.guests[0] | .root == "p3" and .id == "debian" and .version == "12" and (.pretty_name | startswith("Debian"))'
holds ".guests[0] | .architecture == \"$(uname -m)\" and .hostname == \"guest\" and .init == \"systemd\""
holds '.guests[0].kernels == ["6.1.0-42-amd64"]'
# dpkg's is on a volume of its own, and one of its packages is gone; rpm's lost one in a hundred
holds '.guests[0].packages == [{manager: "dpkg", count: 1, database: null}, {manager: "rpm", count: 1222, database: "sqlite"}]'
holds '.guests[0].fstab | length == 13'
holds 'all(.guests[0].fstab[]; (.device, .directory, .type, .options | type == "string") and (.state | IN("root", "shown", "ignored", "missing")))'
holds '.guests[0].fstab | map(select(.state == "shown") | .volume) == ["p7", "p2", "p1", "p6", "p5", "p8"]'
holds '.guests[0].fstab | map(select(.state == "ignored") | .reason) == ["noauto", "swap", "not on a disk", "bind mount", "network"]'
holds '.guests[0].fstab | map(select(.state == "ignored") | .volume) == ["p9", "p4", null, null, null]'
holds '.guests[0].fstab[] | select(.directory == "/media/absent") | .state == "missing" and .volume == null'
[ ! -s "$scratch/warnings" ] || fail "warnings: $(cat "$scratch/warnings")"

# Text: the names of the drawing are those of lsblk's for the same partitions.
"$VMFS" inspect "$image" >"$scratch/text"
sed -n 's/^[├└]─\(p[0-9]*\) .*/\1/p' "$scratch/text" >"$scratch/names"
sfdisk -J "$image" | jq -r '.partitiontable.partitions[].node | sub(".*img"; "p")' | diff - "$scratch/names" >/dev/null ||
    fail "not the partitions: $(cat "$scratch/text")"
for line in '^disk  *700M  *gpt' '^└─p9 ' '^├─p2 .* boot disk .* /boot$' '^├─p3 .* / .*Debian' '^Debian GNU/Linux 12 (bookworm) on p3$' \
    '^  hostname: guest$' '^  packages: 1 by dpkg$' '^  packages: 1222 by rpm (sqlite)$' 'missing: no volume that can be read' \
    '^  /var/log .* p7$' '^  /later .* p9 (ignored: noauto)$'; do
    grep -q -e "$line" "$scratch/text" || fail "no line '$line' in: $(cat "$scratch/text")"
done

# Many images: in their order whoever is first, and one that cannot be opened does not hide the others.
printf 'QFI\373' >"$scratch/broken.qcow2"
status=0
"$VMFS" inspect --json "$VMFS_FIXTURES"/fat/*.img "$scratch/broken.qcow2" "$image" >"$scratch/many" 2>"$scratch/errors" || status=$?
[ "$status" -eq 1 ] || fail "status $status with a broken image"
grep -q broken.qcow2 "$scratch/errors" || fail 'no word of the broken image'
printf '%s\n' "$VMFS_FIXTURES"/fat/*.img "$image" | diff - <(jq -r .path "$scratch/many") || fail 'order'
diff <(jq -s '.[-1]' "$scratch/many") <(jq . "$scratch/json") >/dev/null || fail 'one of many differs from one alone'

# All volumes, by the same names.
as_user true
mnt=$scratch/mnt
if [ "$EUID" -eq 0 ]; then install -d -o "$test_user" "$mnt"; else mkdir "$mnt"; fi
cp --sparse=always "$image" "$scratch/guest.img" && chmod 0644 "$scratch/guest.img"
for how in --all '-o all'; do
    # shellcheck disable=SC2086 # words
    as_user "$VMFS" mount $how "$scratch/guest.img" "$mnt"
    [ "$(as_user ls "$mnt" | xargs)" = 'p1 p2 p3 p5 p6 p7 p8 p9' ] || fail "$how: $(as_user ls "$mnt")"
    [ "$(as_user cat "$mnt/p9/here-is-9" "$mnt/p3/../p5/here-is-5")" = $'volume 9\nvolume 5' ] || fail "$how: contents"
    [ -d "$mnt/p3/boot/not-seen" ] || as_user test -d "$mnt/p3/boot/not-seen" || fail "$how: fstab is followed"
    as_user find "$mnt" -type d -printf '%i\n' | sort | uniq -d >"$scratch/twice"
    [ ! -s "$scratch/twice" ] || fail "$how: inode numbers are there twice"
    as_user "$VMFS" umount "$mnt"
done
printf 'inspect and --all know the guest\n'
