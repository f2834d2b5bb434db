# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# The images that bench/compare.sh works on, made once and kept in $images.

images=$VMFS_SOURCE/build/bench
mkdir -p "$images"
big_megabytes=1024

# made NAME FUNCTION: FUNCTION FILE makes an image unless it is there, whole.
made() {
    [ -f "$images/$1" ] && return 0
    "$2" "$images/$1.new"
    sync "$images/$1.new"
    mv "$images/$1.new" "$images/$1"
}

# with_mounted FILE COMMAND...: while its partition is mounted at $mnt
with_mounted() {
    mount -o "loop,offset=$offset" "$1" "$mnt"
    "${@:2}"
    umount "$mnt"
}

# A Debian system of about 20,000 files, and one file that is large enough to read for a while.
build_debian() {
    bash "$VMFS_SOURCE/tests/debian-image.sh" --size 4G --include git,vim,nginx,openssh-server,python3,build-essential "$1.raw"
    mv "$1.raw" "$1"
    with_mounted "$1" fill_big
}
fill_big() { head -c "${big_megabytes}M" /dev/urandom >"$mnt/big"; }

# empty_disk FILE SIZE: a partition over almost all of it
empty_disk() {
    truncate -s "$2" "$1"
    printf 'label: gpt\nstart=1MiB, type=linux\n' | sfdisk --quiet --no-tell-kernel "$1"
}

# format FILE COMMAND...: makes a file system in the partition by COMMAND... DEVICE
format() {
    local device status=0
    device=$(losetup --find --show --offset "$offset" --sizelimit $(($(stat -c %s "$1") - 2 * offset)) "$1")
    "${@:2}" "$device" || status=$?
    losetup --detach "$device"
    return "$status"
}

build_xfs() {
    empty_disk "$1" 4G
    format "$1" mkfs.xfs -q
    mkdir -p "$scratch/ext4"
    mount -o "loop,ro,noload,offset=$offset" "$images/debian.raw" "$scratch/ext4"
    with_mounted "$1" cp -a "$scratch/ext4/." "$mnt/"
    umount "$scratch/ext4"
}

build_million() {
    empty_disk "$1" 8G
    format "$1" mke2fs -q -t ext4 -N 1100000
    with_mounted "$1" python3 -c 'import os, sys
for d in range(10000):
    os.mkdir(f"{sys.argv[1]}/d{d}")
    for f in range(100): open(f"{sys.argv[1]}/d{d}/f{f}", "w").close()' "$mnt"
}
build_small() {
    empty_disk "$1" 1G
    format "$1" mke2fs -q -t ext4
    with_mounted "$1" python3 -c 'import os, sys
for d in range(200):
    os.mkdir(f"{sys.argv[1]}/d{d}")
    for f in range(100): open(f"{sys.argv[1]}/d{d}/f{f}", "w").close()' "$mnt"
}
build_wide() {
    empty_disk "$1" 4G
    format "$1" mke2fs -q -t ext4 -N 600000
    with_mounted "$1" python3 -c 'import os, sys
os.mkdir(f"{sys.argv[1]}/d")
for f in range(500000): open(f"{sys.argv[1]}/d/f{f}", "w").close()' "$mnt"
}
build_gibibyte() { empty_disk "$1" 1G && format "$1" mke2fs -q -t ext4; }
build_tebibyte() { empty_disk "$1" 1T && format "$1" mke2fs -q -t ext4; }

# Ends with the file system shut down: what the journal holds is not in place.
fill_journal() {
    python3 -c 'import os, sys
for d in range(int(sys.argv[2])):
    os.mkdir(f"{sys.argv[1]}/d{d}")
    for f in range(100):
        with open(f"{sys.argv[1]}/d{d}/f{f}", "w") as file: file.write("text")' "$mnt" "$1"
    xfs_io -x -c 'shutdown -f' "$mnt"
}
build_jbd2() {
    empty_disk "$1" 2G
    format "$1" mke2fs -q -t ext4 -J size=64 -N 300000
    with_mounted "$1" fill_journal 1000
}
build_xfslog() {
    empty_disk "$1" 2G
    format "$1" mkfs.xfs -q -l size=64m
    with_mounted "$1" fill_journal 1000
}
build_qcow2() { qemu-img convert -f raw -O qcow2 "$images/debian.raw" "$1"; }
build_zlib() { qemu-img convert -c -f raw -O qcow2 "$images/debian.raw" "$1"; }
build_zstd() { qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd "$images/debian.raw" "$1"; }

# A disk of 8 GiB with the system on all of it, without the large file.
build_eight() {
    empty_disk "$1.raw" 8G
    format "$1.raw" mke2fs -q -t ext4
    mkdir -p "$scratch/ext4"
    mount -o "loop,ro,noload,offset=$offset" "$images/debian.raw" "$scratch/ext4"
    with_mounted "$1.raw" copy_without_big "$scratch/ext4"
    umount "$scratch/ext4"
    qemu-img convert -f raw -O qcow2 "$1.raw" "$1"
    rm "$1.raw"
}
copy_without_big() { tar -C "$1" --exclude ./big --xattrs --xattrs-include='*' -cf - . | tar -C "$mnt" --xattrs --xattrs-include='*' -xpf -; }

make_debian() { made debian.raw build_debian; }
make_qcow2() { make_debian && made debian.qcow2 build_qcow2; }
make_compressed() { make_debian && made zlib.qcow2 build_zlib && made zstd.qcow2 build_zstd; }
make_cat() { make_debian && made eight.qcow2 build_eight; }
make_xfs() { make_debian && made xfs.raw build_xfs; }
make_journals() { made jbd2.raw build_jbd2 && made xfslog.raw build_xfslog; }
make_scale() {
    local name
    for name in small million wide gibibyte tebibyte; do made "$name.raw" "build_$name"; done
}
