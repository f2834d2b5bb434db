#!/usr/bin/env bash
# A container on a guest of many volumes: what lies on each of them is in its place, can be changed, and is not changed in
# the images.
# needs: debian guest_lvm
# alone with: containers
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need newuidmap sgdisk mke2fs debugfs

# Debian, with a /boot beside it on its disk, and on two further disks a group of volumes.
disk=$work/debian.raw system=$work/system.img more=$work/more.img
cp --sparse=always "$VMFS_FIXTURES/debian/debian.raw" "$disk"
cp --sparse=always "$VMFS_FIXTURES"/guest_lvm/*.img "$work"
chmod 0644 "$work"/*.img "$disk"
boot_start=$(($(stat -c %s "$disk") + 1048576))
truncate -s +34M "$disk"
sgdisk -e -n "2:$((boot_start / 512)):+32M" -c 2:kernels "$disk" >/dev/null
mkdir "$scratch/boot"
printf 'of the boot volume\n' >"$scratch/boot/vmlinuz-1"
mke2fs -q -t ext4 -d "$scratch/boot" "$scratch/boot.img" 32M >/dev/null
dd if="$scratch/boot.img" of="$disk" bs=1M seek=$((boot_start / 1048576)) conv=notrunc,sparse status=none
cat >"$scratch/fstab" <<'EOF'
LABEL=root / ext4 errors=remount-ro 0 1
PARTLABEL=kernels /boot ext4 defaults 0 2
/dev/mapper/sys--vg-home /home xfs defaults 0 2
/dev/sys-vg/srv /srv ext4 defaults 0 2
/dev/sys-vg/var-log /var/log ext4 defaults 0 2
EOF
debugfs -w -f - "$disk?offset=1048576" >"$scratch/log" 2>&1 <<EOF
rm /etc/fstab
write $scratch/fstab /etc/fstab
EOF
before=$(stat -c '%n %y %z' "$disk" "$system" "$more")

# Another system is in the group: said on standard error, and the first is taken.
run() { vmfs run --add "$system" --add "$more" "$@" 2>/dev/null; }
transcript 0 $'of the boot volume\nvolume home\nvolume srv\nline\ndebian' run "$disk" \
    cat /boot/vmlinuz-1 /home/here-is-home /srv/here-is-srv /var/log/syslog /etc/hostname
[ "$(run "$disk" sha256sum /home/user/large | cut -d ' ' -f 1)" = "$("$VMFS" hash "$VMFS_FIXTURES/guest_lvm/volumes/home" user/large | cut -d ' ' -f 1)" ] ||
    fail 'other bytes in /home'

# Changes on every volume, over borders too, stay beside the images.
transcript 0 $'new\nnew\nmoved\nof the boot volume\nappended' run --overlay "$work/changes" "$disk" sh -ec '
    echo new >/boot/new; echo new >/home/user/new; cat /boot/new /home/user/new
    mv /srv/www/file /home/moved; test ! -e /srv/www/file; test -s /home/moved; echo moved
    echo appended >>/boot/vmlinuz-1; cat /boot/vmlinuz-1
    rm -r /var/log/journal; mkdir /srv/before/new; chown 1:1 /home/tree; ln /home/here-is-home /srv/link'
transcript 0 $'appended\n1:1\nvolume home' run --overlay "$work/changes" "$disk" sh -ec '
    tail -n 1 /boot/vmlinuz-1; stat -c %u:%g /home/tree; cat /srv/link; test -d /srv/before/new; test ! -e /var/log/journal'
transcript 0 '' run "$disk" sh -ec 'test ! -e /boot/new; test ! -e /home/moved; test -s /srv/www/file; test -d /var/log/journal'
transcript fails '*Read-only file system' vmfs run --add "$system" --add "$more" --read-only "$disk" touch /home/x
[ "$(stat -c '%n %y %z' "$disk" "$system" "$more")" = "$before" ] || fail 'an image was written'

# A volume that is wanted alone comes without the others.
transcript 0 "" run --partition 1 "$disk" sh -ec 'test -z "$(find /boot /home /srv -mindepth 1)"'
