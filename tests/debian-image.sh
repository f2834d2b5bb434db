#!/usr/bin/env bash
# Builds a Debian system as a virtual disk: GPT with one ext4 partition, labelled "root".
#   debian-image.sh [--suite NAME] [--init PACKAGE] [--include PACKAGE,...] [--size SIZE] OUTPUT...
# Each OUTPUT is a qcow2 image if its name ends in .qcow2, else a raw one. Images are kept in a cache
# (VMFS_IMAGE_CACHE), so only the first call with the same options takes its time.
# Runs as root, or as an ordinary user who has ranges of subordinate ids (/etc/subuid, /etc/subgid); an ordinary
# user without them needs fakechroot and fakeroot.
set -euo pipefail

suite=bookworm init=systemd-sysv include="" size=2G
while [ $# -gt 0 ]; do
    case $1 in
    --suite) suite=$2; shift 2 ;;
    --init) init=$2; shift 2 ;;
    --include) include=$include,$2; shift 2 ;;
    --size) size=$2; shift 2 ;;
    -*) printf 'debian-image.sh: unknown option %s\n' "$1" >&2; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || { printf 'usage: debian-image.sh [--suite NAME] [--init PACKAGE] [--include PACKAGE,...] [--size SIZE] OUTPUT...\n' >&2; exit 2; }
for tool in mmdebstrap sfdisk mke2fs qemu-img unshare tar; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
        { printf 'debian-image.sh: needs %s\n' "$tool" >&2; exit 1; }
done
PATH=$PATH:/usr/sbin:/sbin

# How files may get owners: really as root, in a user namespace with our subordinate ids, or in pretence.
if [ "$EUID" -eq 0 ]; then
    mode=root as_owner=()
elif unshare --map-root-user --map-auto true 2>/dev/null; then
    mode=unshare as_owner=(unshare --map-root-user --map-auto)
else
    mode=fakechroot as_owner=(fakeroot)
fi

# The archive that this machine's own apt uses for the suite; none: mmdebstrap's default.
# shellcheck disable=SC2016 # the names between $() are apt's
mapfile -t mirrors < <(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -E " $suite(-updates|-security)? " | sort -u)

cache=${VMFS_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmfs-images}
mkdir -p "$cache"
include=$init$include
key=$(printf '%s\n' "$suite" "$include" "$size" "$(sha256sum <"$0")" | sha256sum | cut -c 1-16)
disk=$cache/debian-$suite-$key.raw
offset=1048576

# Unpacks the archive on standard input and makes the file system of a disk from it:
#   build_filesystem DISK SCRATCH-FOLDER SIZE
build_filesystem() {
    local disk=$1 root=$2 size=$3
    mkdir "$root"
    # device nodes cannot be made in a user namespace, and every system makes its own at boot
    tar --extract --numeric-owner --xattrs --xattrs-include='*' --exclude='./dev/*' --directory "$root"
    mke2fs -q -F -t ext4 -L root -d "$root" -E "offset=$offset,root_owner=0:0" "$disk" "$size"
    rm -rf "$root"
}

build_disk() {
    local work type kilobytes
    work=$(mktemp -d "$cache/build.XXXXXX")
    # shellcheck disable=SC2064 # the folder as it is now
    trap "rm -rf '$work'" EXIT
    case $(dpkg --print-architecture) in
    amd64) type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 ;;
    arm64) type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE ;;
    *) type=linux ;;
    esac
    truncate -s "$size" "$work/disk"
    kilobytes=$((($(stat -c %s "$work/disk") - 2 * offset) / 1024 & ~3))
    printf 'label: gpt\nstart=1MiB, size=%dKiB, type=%s, name=root\n' "$kilobytes" "$type" |
        sfdisk --quiet --no-tell-kernel "$work/disk"
    # shellcheck disable=SC2016 # the hooks' $1 is mmdebstrap's
    mmdebstrap --quiet --mode="$mode" --variant=minbase --include="$include" --format=tar \
        --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' \
        --customize-hook='printf "LABEL=root / ext4 errors=remount-ro 0 1\n" >"$1/etc/fstab"' \
        --customize-hook='printf "debian\n" >"$1/etc/hostname"' \
        "$suite" - "${mirrors[@]}" |
        "${as_owner[@]}" bash -c "set -euo pipefail; offset=$offset; $(declare -f build_filesystem); build_filesystem \"\$@\"" \
            bash "$work/disk" "$work/root" "${kilobytes}k"
    mv "$work/disk" "$disk"
}

[ -f "$disk" ] || build_disk
for output; do
    case $output in
    *.qcow2) qemu-img convert -f raw -O qcow2 "$disk" "$output" ;;
    *) cp --sparse=always --reflink=auto "$disk" "$output" ;;
    esac
done
