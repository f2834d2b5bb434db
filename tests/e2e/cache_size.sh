#!/usr/bin/env bash
# --cache-size: what is refused, that the same bytes come with any size, and that the server's memory stays within it.
# needs: debian
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need qemu-img
mnt=$scratch/mnt
mkdir "$mnt"
image=$scratch/debian.qcow2
qemu-img convert -c -O qcow2 -o compression_type=zstd "$VMFS_FIXTURES/debian/debian.qcow2" "$image"

# refused COMMAND...: wrong usage, said in a line that names the option
refused() {
    local status=0
    "$@" >/dev/null 2>"$scratch/err" || status=$?
    [ "$status" -eq 2 ] || fail "status $status of: $*"
    grep -q 'cache.size.*a size from 0 to 1G is wanted' "$scratch/err" || fail "not said: $(cat "$scratch/err")"
}
for size in '' x 1Q -1 2G 1MiB; do
    refused "$VMFS" ls --cache-size="$size" "$image"
    refused "$VMFS" mount -o "cache_size=$size" "$image" "$mnt"
done

expected=$("$VMFS" tar "$image" usr/bin | sha256sum)
for size in 0 200K 1M; do
    [ "$("$VMFS" tar --cache-size "$size" "$image" usr/bin | sha256sum)" = "$expected" ] || fail "other bytes with $size"
done

# memory_with OPTIONS...: MiB that the server had resident at most, after all of /usr was read by many
memory_with() {
    local server
    "$VMFS" mount "$@" "$image" "$mnt"
    server=$(pgrep -n -x vmfs)
    find "$mnt/usr" -xdev -type f -print0 | xargs -0 -P 8 -n 200 cat >/dev/null
    awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$server/status"
    "$VMFS" umount "$mnt"
}
small=$(memory_with -o cache_size=1M)
default=$(memory_with)
# A sanitizer keeps what was freed.
if ! has_sanitizer "$VMFS"; then
    [ "$default" -lt 48 ] || fail "$default MiB by default"
    [ "$small" -lt 40 ] || fail "$small MiB with a cache of 1 MiB"
fi
printf '%s MiB by default, %s with a cache of 1 MiB\n' "$default" "$small"
