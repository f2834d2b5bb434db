#!/usr/bin/env bash
# Runs tests in a virtual machine, which has what the machine of tests/run.sh may lack: Debian's own kernel, systemd that
# gives out cgroups of version 2, and all their controllers. Emulation makes it slow, so tests/run.sh does without it.
#   VMFS=PROGRAM tests/vm.sh [NAME...]     NAME is a script in tests/vm, without .sh; all of them by default
# They run as an ordinary user in a session of his.
set -euo pipefail
VMFS_SOURCE=$(cd "$(dirname "$0")/.." && pwd)
: "${VMFS:=$VMFS_SOURCE/build/release/launcher/vmfs}" "${VMFS_FIXTURES:=$VMFS_SOURCE/build/fixtures}"
. "$VMFS_SOURCE/packages.sh"
install_packages image vm
. "$VMFS_SOURCE/tests/lib.sh"
need qemu-system-x86_64 mke2fs
if [ $# -eq 0 ]; then
    mapfile -t names < <(basename -s .sh "$VMFS_SOURCE"/tests/vm/*.sh)
    set -- "${names[@]}"
fi
seconds=1200

bash "$VMFS_SOURCE/tests/debian-image.sh" --size 3G --include linux-image-cloud-amd64,initramfs-tools,dbus,dbus-user-session,libpam-systemd,uidmap,fuse3,procps,e2fsprogs,python3-minimal \
    "$scratch/root.raw"
for file in vmlinuz initrd.img; do "$VMFS" cat "$scratch/root.raw" "/$file" >"$scratch/$file"; done

# what it gets as a second disk
payload=$scratch/payload
mkdir -p "$payload/fixtures"
cp -r "$VMFS_SOURCE/tests" "$VMFS_SOURCE/packages.sh" "$payload"
cp "$VMFS" "$payload/vmfs"
for fixture in debian boot; do
    mkdir "$payload/fixtures/$fixture"
    cp "$VMFS_FIXTURES/$fixture/$fixture.qcow2" "$payload/fixtures/$fixture"
done
printf '%s\n' "$@" >"$payload/names"
mke2fs -q -t ext4 -d "$payload" "$scratch/payload.img" "$(du -sm --apparent-size "$payload" | awk '{ print $1 + 100 }')M"
rm -r "$payload"

timeout "$seconds" qemu-system-x86_64 -nodefaults -no-reboot -display none -serial stdio -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
    -kernel "$scratch/vmlinuz" -initrd "$scratch/initrd.img" \
    -drive "file=$scratch/root.raw,format=raw,if=virtio" -drive "file=$scratch/payload.img,format=raw,if=virtio" \
    -append 'root=/dev/vda1 rw console=ttyS0 quiet systemd.run="/bin/mount /dev/vdb /mnt" systemd.run=/mnt/tests/vm/begin systemd.run_success_action=poweroff-force systemd.run_failure_action=poweroff-force' \
    </dev/null | tee "$scratch/console"
for name; do grep -q "^passed: $name.\?$" "$scratch/console" || fail "$name did not pass in the virtual machine"; done
