#!/usr/bin/env bash
# A guest on many volumes is one tree, in every attribute and every byte what the kernel shows with the same volumes in
# their places: by our own walk, through FUSE, and by the verbs.
# needs: guest
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/guest_lib.sh"
need_root "$@"
need mount python3 find sha256sum
export LC_ALL=C
fixtures=$VMFS_FIXTURES/guest
image=$fixtures/guest.img
kernel=$scratch/kernel
mnt=$scratch/mnt
as_user true
install -d -o "$test_user" "$mnt"

mount_guest "$fixtures" "$kernel"

"$VMFS_TOOLS/manifest" image --guest --full --norecovery "$image" >"$scratch/ours" 2>"$scratch/warnings"
judge 'our own walk' "$scratch/ours"
# The only thing to tell of is what is not there.
grep -q '^manifest: /media/absent is not shown: no volume that can be read is UUID=99999999-' "$scratch/warnings" ||
    fail "no word of what is absent: $(cat "$scratch/warnings")"

as_user cp --sparse=always "$image" "$mnt.img" 2>/dev/null || cp --sparse=always "$image" "$mnt.img"
as_user "$VMFS" mount -o norecovery "$mnt.img" "$mnt" 2>/dev/null
as_user "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/user"
[ "$(as_user cat "$mnt/boot/../etc/../var/log/../../etc/hostname")" = guest ] || fail '".." through FUSE'
as_user "$VMFS" umount "$mnt"
cut -f 1 "$scratch/user" >"$scratch/user.paths"
cut -f 1 "$scratch/ours" | diff - "$scratch/user.paths" >/dev/null || fail 'a user sees another tree'
"$VMFS" mount -o norecovery "$image" "$mnt" 2>/dev/null
for round in cold warm; do
    "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/fuse.$round"
    judge "mounted, $round" "$scratch/fuse.$round"
done
same_usage "$kernel" "$mnt"
"$VMFS" umount "$mnt"

# The verbs, each by its own way through the tree.
vmfs() { "$VMFS" "$1" --norecovery "$image" "${@:2}" 2>/dev/null; }
(cd "$kernel" && find . -path ./boot/efi -prune -o -type f -print0 | sort -z | xargs -0 sha256sum) >"$scratch/expected"
vmfs hash | grep -v ' \./boot/efi/' >"$scratch/got"
diff "$scratch/expected" "$scratch/got" >/dev/null || fail 'hash'
(cd "$kernel" && find . -path ./boot/efi -prune -o -links +1 -print | sort) >"$scratch/expected"
vmfs find . -path ./boot/efi -prune -o -links +1 -print | sort >"$scratch/got"
diff "$scratch/expected" "$scratch/got" >"$scratch/diff" || fail "find: $(head -n 3 "$scratch/diff")"
mkdir "$scratch/unpacked"
vmfs tar | tar -x -C "$scratch/unpacked" || fail 'tar'
diff -r --no-dereference -x efi -x null "$kernel" "$scratch/unpacked" >"$scratch/diff" || fail "tar: $(head -n 3 "$scratch/diff")"
[ "$(vmfs cat /srv/../services/here-is-8 /home/tree/link)" = $'volume 8\nvolume 5' ] || fail 'cat'
[ "$(vmfs stat -c '%i %A' /var /var/log | sort -u | wc -l)" -eq 2 ] || fail 'stat'
[ "$(vmfs ls -l /home | awk '/ user$/ { print $3 }')" = user ] || fail 'owners are not those of the guest'

# FAT keeps no owners: fstab says whose the files are.
[ "$(vmfs stat -c '%a %u %g %n' /boot/efi /boot/efi/EFI/debian/grubx64.efi)" = $'700 7 0 /boot/efi\n700 7 0 /boot/efi/EFI/debian/grubx64.efi' ] ||
    fail "fstab's umask and uid: $(vmfs stat -c '%a %u %g %n' /boot/efi)"
[ "$(vmfs cat /boot/efi/efi/DEBIAN/grubx64.efi)" = loader ] || fail 'the EFI system partition'

# A volume wanted by name is shown alone, and what is not mounted by itself is no part of the tree.
[ "$(vmfs ls -p 6 /log | wc -l)" -eq 0 ] || fail '--partition shows more than the volume'
! vmfs ls /later/not-shown >/dev/null || fail 'noauto is shown'
[ "$(vmfs ls -p 9 /not-shown; vmfs ls -p PARTLABEL=later /here-is-9)" = /here-is-9 ] || fail 'a volume by its name'
printf 'a guest on %d volumes is as the kernel has it\n' "${#places[@]}"
