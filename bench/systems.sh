# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# The systems that bench/compare.sh compares: how each shows a tree at $mnt, and what it costs meanwhile.

mnt=$scratch/mnt export=$scratch/export qcowmount=$scratch/qcowmount
mkdir "$mnt" "$qcowmount"
offset=1048576 # of the partition on every disk

# start_export IMAGE: qemu-storage-daemon shows the disk in a qcow2 image as the file $export.
start_export() {
    : >"$export"
    qemu-storage-daemon --daemonize --pidfile "$scratch/export.pid" \
        --blockdev "driver=file,node-name=file,filename=$1,read-only=on" \
        --blockdev driver=qcow2,node-name=disk,file=file,read-only=on \
        --export "fuse,id=disk,node-name=disk,mountpoint=$export,writable=off"
}

stop_export() {
    local pid
    pid=$(cat "$scratch/export.pid")
    kill "$pid"
    while [ -e "/proc/$pid" ]; do sleep 0.01; done
}

# Its virtual machine starts without KVM where that does not work.
start_guestmount() {
    local how=(guestmount -a "$1" -m /dev/sda1 --ro "$mnt")
    LIBGUESTFS_BACKEND=direct "${how[@]}" 2>"$scratch/guestmount.log" ||
        LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg "${how[@]}"
}

# The image behind the systems of that ending.
image_of() {
    case $1 in
    *-xfs) echo "$images/xfs.raw" ;;
    *-zlib | *-zstd) echo "$images/${1##*-}.qcow2" ;;
    *-qcow2 | *-export | *-qcowmount) echo "$images/debian.qcow2" ;;
    *-unconfined) echo "$images/debian.raw" ;;
    *-*) echo "$images/${1#*-}.raw" ;;
    *) echo "$images/debian.raw" ;;
    esac
}

unconfined=$VMFS_SOURCE/build/release/bench/vmfs-unconfined

show() {
    local image
    image=$(image_of "$1")
    case $1 in
    kernel-export*) start_export "$image" && mount -o "loop,ro,noload,offset=$offset" "$export" "$mnt" ;;
    kernel-qcowmount) qcowmount "$image" "$qcowmount" >/dev/null && mount -o "loop,ro,noload,offset=$offset" "$qcowmount/qcow1" "$mnt" ;;
    fuse2fs-export*) start_export "$image" && fuse2fs -o "ro,offset=$offset" "$export" "$mnt" >/dev/null ;;
    kernel-xfs) mount -o "loop,ro,norecovery,offset=$offset" "$image" "$mnt" ;;
    kernel*) mount -o "loop,ro,noload,offset=$offset" "$image" "$mnt" ;;
    fuse2fs*) fuse2fs -o "ro,offset=$offset" "$image" "$mnt" >/dev/null ;;
    guestmount) start_guestmount "$image" ;;
    *-unconfined) "$unconfined" mount "$image" "$mnt" ;;
    vmfs*) "$VMFS" mount "$image" "$mnt" ;;
    *) fail "unknown system $1" ;;
    esac
}

hide() {
    local pid
    case $1 in
    vmfs*) "$VMFS" umount "$mnt" ;;
    *)
        umount "$mnt"
        for pid in $(pgrep -f -- " $mnt\$"); do
            while [ -e "/proc/$pid" ]; do sleep 0.01; done
        done
        ;;
    esac
    case $1 in
    *-export*) stop_export ;;
    *-qcowmount) umount "$qcowmount" ;;
    esac
}

# The processes that serve a mounted system; none for the kernel's own.
servers() {
    case $1 in vmfs* | fuse2fs* | guestmount) pgrep -f -- "$mnt" ;; esac
    case $1 in
    *-export*) cat "$scratch/export.pid" ;;
    *-qcowmount) pgrep -f -- "^qcowmount .* $qcowmount\$" ;;
    esac
}

# The one of them that answers requests.
server_of() {
    local pid
    for pid in $(servers "$1"); do
        [ "$(cat "/proc/$pid/comm")" = vmfs-mounter ] || echo "$pid"
    done
}

# What the servers of a system took until now: "MEBIBYTES SECONDS", of memory at most and of processors; nothing for the
# kernel's own.
server_use() {
    local pid memory=0 ticks=0
    for pid in $(servers "$1"); do
        memory=$((memory + $(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")))
        ticks=$((ticks + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')))
    done
    [ "$memory" -eq 0 ] || awk "BEGIN { print $memory / 1024, $ticks / $(getconf CLK_TCK) }"
}
