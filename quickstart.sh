#!/usr/bin/env bash
# From a fresh Debian 12 to a mounted virtual machine image and a container on it: installs what is missing, builds, makes an
# image of a real Debian (or takes yours), mounts it and shows what is in it. Root is needed for packages alone.
#   ./quickstart.sh [IMAGE]
set -euo pipefail
image=${1:-}
[ -z "$image" ] || image=$(realpath -e -- "$image")
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./packages.sh

say() { printf '\n== %s\n' "$1"; }
elapsed_ms() { printf '%d' $(((${2/[.,]/} - ${1/[.,]/}) / 1000)); }

say 'packages'
install_packages build
[ -n "$image" ] || install_packages image

say 'build'
cmake --preset release -DBUILD_TESTING=OFF -B build/quickstart >/dev/null
cmake --build build/quickstart -- --quiet
vmfs=$PWD/build/quickstart/launcher/vmfs

if [ -z "$image" ]; then
  image=$PWD/build/debian.qcow2
  say "a Debian image: $image"
  [ -f "$image" ] || tests/debian-image.sh "$image"
fi

say "vmfs inspect $image"
"$vmfs" inspect "$image"

directory=$(mktemp -d)
cleanup() {
  if mountpoint -q "$directory"; then "$vmfs" umount "$directory"; fi
  rmdir "$directory"
}
trap cleanup EXIT

say "vmfs mount $image $directory"
start=$EPOCHREALTIME
"$vmfs" mount "$image" "$directory"
mounted=$EPOCHREALTIME
printf 'mounted in %s ms as %s\n\n' "$(elapsed_ms "$start" "$mounted")" "$(id -un)"
findmnt -o TARGET,FSTYPE,OPTIONS "$directory" || true
printf '\n'
ls "$directory"
printf '\n'
cat "$directory/etc/os-release"

has_shell=$([ -e "$directory/bin/sh" ] && echo yes || echo no)

say "vmfs umount $directory"
"$vmfs" umount "$directory"

[ "$has_shell" = yes ] || exit 0
say "vmfs run $image -- sh"
# shellcheck disable=SC2016 # the container's shell expands
"$vmfs" run "$image" -- sh -c '. /etc/os-release; echo "$(id -un) in a container on $PRETTY_NAME, process $$ of it"
  echo changed >/etc/hostname; echo "what it changes goes when it ends: $(cat /etc/hostname)"'
