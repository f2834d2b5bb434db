#!/usr/bin/env bash
# Every file of the corpora, image or not, damaged or cut off, is read as a whole by one command, or refused in a line:
# within 10 seconds and 512 MiB, without a crash. (What must come out is the business of other tests.)
# timeout: 280
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/corpora.sh"
need gzip bzip2 xz zstd unzip tar timeout
folder=$(corpora_folder) || exit $?

# AddressSanitizer reserves address space without end, and is slow: a part of the files, under no limit of address space.
step=1 limit=524288 seconds=10
if ! (ulimit -v "$limit" && "$VMFS" --version) >/dev/null 2>&1; then step=8 limit=unlimited seconds=60; fi
read_count=0 refused=0 failed=0

# whole FILE NAME
whole() {
    local status=0
    (ulimit -v "$limit" && exec timeout --kill-after=1 "$seconds" "$VMFS" tar -f /dev/null "$1") \
        2>"$scratch/messages" || status=$?
    case $status in
    0) read_count=$((read_count + 1)) ;;
    1)
        refused=$((refused + 1))
        grep -q '^vmfs: .' "$scratch/messages" || { echo "$2: no message"; failed=$((failed + 1)); }
        ;;
    *)
        echo "$2: status $status: $(tail -n 3 "$scratch/messages")"
        failed=$((failed + 1))
        ;;
    esac
}

# What lies in an archive, or the file itself: members FILE
members() {
    case $1 in
    *.zip) unzip -Z1 "$1" | grep -v '/$' | sed "s|^|$1!|" ;;
    *.tar | *.ova | *.tar.* | *.tgz) tar -tf "$1" | grep -v '/$' | sed "s|^|$1!|" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

number=0
while IFS= read -r -u 3 file; do
    number=$((number + 1))
    [ $((number % step)) -eq 0 ] || continue
    while IFS= read -r -u 4 member; do
        name=${member##*[/!]}
        case $name in *.gz | *.bz2 | *.xz | *.zst) name=${name%.*} ;; esac
        unpack "$folder" "$member" 2>/dev/null | dd of="$scratch/$name" conv=sparse bs=64k iflag=fullblock status=none || true
        whole "$scratch/$name" "$member"
        rm -f "$scratch/$name"
    done 4< <(cd "$folder" && members "$file")
done 3< <(cd "$folder" && find . -type f -size -64M ! -path './manifests*' ! -path './util-linux/expected/*' ! -name '*.tsv' ! -name '*.py' ! -name '*.txt' ! -name 'expect*' ! -name name ! -name script -printf '%P\n' | LC_ALL=C sort)
printf '%d images read, %d refused, %d failed\n' "$read_count" "$refused" "$failed"
[ "$failed" -eq 0 ] || fail 'see above'
[ $(((read_count + refused) * step)) -gt 300 ] || fail 'the corpora are not complete'
