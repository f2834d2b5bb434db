#!/usr/bin/env bash
# needs: disks
# timeout: 30
# Which volume of a disk is shown, and what is said where none can be.
set -euo pipefail
cd "$VMFS_FIXTURES/disks"
failed=0

# expect DISK NAME PATTERN: what is printed on both outputs for a wanted NAME ("" for none) matches.
expect() {
  local said
  said=$("$VMFS_TOOLS/volumes" choose "$1.img" "$2" 2>&1) || true
  # shellcheck disable=SC2053
  [[ $said == $3 ]] && return
  echo "FAILED: $1 '$2': expected $3, got: $said" >&2
  failed=1
}
debian='ext4 Debian GNU/Linux 12 (bookworm)'

expect bare '' "disk $debian"
expect single '' "p1 $debian"
expect usual '' "p3 $debian"
expect one_data '' 'p2 ext4 -'
expect two '' "warning: several operating systems: p2 (Other), p3 (Debian*); p2 is taken*--partition
p2 ext4 Other"
expect two 3 "p3 $debian"
expect two root "p3 $debian"
expect two LABEL=ROOT "p3 $debian"
expect two partlabel=root2 'p2 ext4 Other'
expect two UUID=11111111-2222-3333-4444-555555555555 "p3 $debian"
expect two PARTUUID="$(partx --raw --noheadings -n 3 -o UUID two.img)" "p3 $debian"
expect two 7 "*no partition '7'; there is p1 (vfat \"esp\", 16M), p2 (ext4 \"root2\", 16M), p3 (ext4 \"root\", 16M)*"
expect lvm '' '*no operating system*p3: LVM2_member*cannot be read*p2 (ext4 "boot", 16M)*--partition*'
expect lvm 2 'p2 ext4 -'
expect lvm 3 '*p3 (LVM2_member*cannot be read*'
expect lvm_only '' '*p2 (LVM2_member*cannot be read*'
expect many '' '*several file systems*p1 (ext4 "data", 16M), p2 (ext4 "boot", 16M)*--partition*'
expect bare_lvm '' '*disk (LVM2_member, 16M)*cannot be read*'
expect nothing '' '*no known file system*'
exit $failed
