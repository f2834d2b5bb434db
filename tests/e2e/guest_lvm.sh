#!/usr/bin/env bash
# A guest on logical volumes over two images is one tree, in every attribute and every byte what the kernel shows with the
# same volumes in their places; its fstab names them in every way.
# needs: guest_lvm
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/guest_lib.sh"
need_root "$@"
need mount python3 qemu-img jq diff
export LC_ALL=C
fixtures=$VMFS_FIXTURES/guest_lvm
system=$fixtures/system.img more=$fixtures/more.img
mnt=$scratch/mnt
mkdir "$mnt"
mount_guest "$fixtures" "$scratch/kernel"

"$VMFS_TOOLS/manifest" image --guest --full --norecovery --add "$more" "$system" >"$scratch/ours" 2>"$scratch/warnings"
judge 'our own walk' "$scratch/ours"
[ "$(cat "$scratch/warnings")" = 'manifest: /media/gone is not shown: no volume that can be read is /dev/mapper/sys--vg-gone' ] ||
    fail "warnings: $(cat "$scratch/warnings")"

# Whatever the images are, and however the further one is given.
qemu-img convert -O qcow2 "$more" "$scratch/more, as qcow2"
"$VMFS" mount --norecovery -a "$scratch/more, as qcow2" "$system" "$mnt" 2>"$scratch/warnings"
"$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/fuse"
judge mounted "$scratch/fuse"
same_usage "$scratch/kernel" "$mnt"
diff -r "$fixtures/efi" "$mnt/boot/efi" || fail 'the EFI system partition'
"$VMFS" umount "$mnt"
"$VMFS" mount -o "norecovery,add=$scratch/more\\, as qcow2,nodev" "$system" "$mnt" 2>"$scratch/warnings"
cmp "$mnt/srv/before/www/old" "$scratch/kernel/srv/before/www/old" || fail 'a disk given by -o add='
"$VMFS" umount "$mnt"

"$VMFS" tar --norecovery -a "$more" "$system" 2>"$scratch/warnings" >"$scratch/tar"
mkdir "$scratch/unpacked"
tar -x -f "$scratch/tar" -C "$scratch/unpacked"
diff -r --no-dereference -x efi "$scratch/kernel" "$scratch/unpacked" >"$scratch/diff" || fail "tar: $(head -n 3 "$scratch/diff")"

"$VMFS" inspect --json -a "$more" "$system" >"$scratch/json"
jq -r '.guests[0].fstab[] | "\(.directory) \(.state) \(.volume)"' "$scratch/json" >"$scratch/fstab"
diff - "$scratch/fstab" <<'EOF' || fail 'inspect: fstab'
/ root sys-vg/root
/usr shown sys-vg/usr
/boot shown p2
/boot/efi shown p1
/var shown sys-vg/var
/var/log shown sys-vg/var-log
/home shown sys-vg/home
/srv shown sys-vg/srv
/srv/before shown sys-vg/srv-before
none ignored sys-vg/swap
/media/gone missing null
EOF
jq -e '.guests[0] | .pretty_name == "Debian GNU/Linux 12 (bookworm)" and .hostname == "lvm-guest" and .init == "systemd"
    and .kernels == ["6.1.0-42-amd64"] and .packages[0].count == 1' "$scratch/json" >/dev/null || fail "$(jq .guests "$scratch/json")"

# Without the second disk what it does not hold is shown, and the rest told of.
"$VMFS" find "$system" / -name 'here-is-*' 2>"$scratch/warnings" >"$scratch/found"
[ "$(xargs <"$scratch/found")" = '/boot/here-is-boot /here-is-root' ] || fail "one disk of two: $(cat "$scratch/found")"
for place in /usr /var/log /home /srv /srv/before; do
    grep -q " $place is not shown: .*physical volume .* is missing" "$scratch/warnings" || fail "no word of $place: $(cat "$scratch/warnings")"
done
grep -q ' /var is not shown: no volume that can be read is LABEL=variable$' "$scratch/warnings" || fail 'no word of /var'
printf 'a guest on logical volumes is as the kernel has it\n'
