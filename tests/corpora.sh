# shellcheck shell=bash
# Walks the file systems of one kind in other projects' images. Use after lib.sh:
#   walk_corpora TYPE-PATTERN EXCEPTIONS MINIMUM
# Sound volumes must equal their manifest, unless EXCEPTIONS (lines of IMAGE, tab, reason) explains why not.
# Damaged ones may be refused or shown in part: never a signal, a hang or more memory than 512 MiB.
# At least MINIMUM volumes must have been walked, so that a table that moved cannot pass.

# Prints the bytes of an image, unpacked: unpack FOLDER IMAGE, where IMAGE may be ARCHIVE!MEMBER
unpack() {
    local file=$1/${2%%!*} member=${2#*!}
    if [ "$member" != "$2" ]; then
        case $file in
        *.zip) unzip -p "$file" "$member" ;;
        *) tar -xOf "$file" "$member" ;;
        esac
        return
    fi
    case $file in
    *.gz) gzip -dc "$file" ;;
    *.bz2) bzip2 -dc "$file" ;;
    *.xz) xz -dc "$file" ;;
    *.zst) zstd -dqc "$file" ;;
    *) cat "$file" ;;
    esac
}

: "${scratch:?}" # made by lib.sh

# Makes $scratch/disk, what the guest sees of an image. Other tests judge the container formats, so QEMU opens them.
make_disk() {
    local plain=${2%.gz}
    plain=${plain%.zst}
    rm -f "$scratch/disk" "$scratch/container"
    case $plain in
    *.qcow2* | *.qcow | *.vmdk | *.vhd | *.vhdx)
        unpack "$1" "$2" | dd of="$scratch/container" conv=sparse bs=64k iflag=fullblock status=none
        qemu-img convert -O raw "$scratch/container" "$scratch/disk"
        ;;
    *) unpack "$1" "$2" | dd of="$scratch/disk" conv=sparse bs=64k iflag=fullblock status=none ;;
    esac
}

# Runs the walk under its limits. AddressSanitizer reserves address space without end and limits memory by itself.
limited_manifest() (
    if (ulimit -v 524288 && "$VMFS_TOOLS/manifest" --help) >/dev/null 2>&1; then
        ulimit -v 524288 -t 10
    else
        export ASAN_OPTIONS=hard_rss_limit_mb=1024:${ASAN_OPTIONS:-}
        ulimit -t 60
    fi
    exec timeout --kill-after=1 120 "$VMFS_TOOLS/manifest" "$@"
)

# How volumes are opened.
corpora_options=(--norecovery)

declare -A corpora_count=([equal]=0 [explained]=0 [differing]=0 [refused]=0 [partial]=0 [whole]=0 [broken]=0 [replayed]=0)

count() {
    corpora_count[$1]=$((corpora_count[$1] + 1))
}

# judge_sound IMAGE MANIFEST EXCEPTIONS
judge_sound() {
    local reader=cat reason
    case $2 in *.zst) reader='zstd -dqc' ;; esac
    $reader "$2" | grep -a -v '^#' >"$scratch/expected"
    grep -a -v '^#' "$scratch/rows" >"$scratch/got" || true
    reason=$(awk -F '\t' -v image="$1" '$1 == image { print $2 }' "$3")
    if diff -a "$scratch/expected" "$scratch/got" >"$scratch/diff"; then
        count equal
        [ -z "$reason" ] || { printf '%s: equal, although it is said to differ: %s\n' "$1" "$reason"; count broken; }
    elif [ -n "$reason" ]; then
        count explained
    else
        count differing
        printf '%s: %d lines differ from the manifest\n' "$1" "$(grep -a -c '^[<>]' "$scratch/diff")"
        head -n 4 "$scratch/diff" | cut -c 1-300
        cat "$scratch/messages"
    fi
}

# judge_damaged STATUS
judge_damaged() {
    if [ "$1" -ne 0 ]; then
        count refused
    elif grep -a -q -E 'ERR:|^# listdir' "$scratch/rows"; then
        count partial
    else
        count whole
    fi
}

# The volumes whose type matches: IMAGE|OFFSET|SIZE|MANIFEST
volumes_of() {
    awk -F '\t' -v type="$2" 'NR > 1 && $5 ~ type { print $1 "|" $3 "|" $4 "|" $11 }' "$1/volumes.tsv"
    # e2fsprogs' own table has a few that are too broken to be called a volume
    if [[ ext4 =~ $2 ]]; then
        awk -F '\t' 'NR == FNR { seen[$1] = 1; next } FNR > 1 && !($1 in seen) { print $1 "|0|" $3 "|" }' \
            "$1/volumes.tsv" "$1/e2fsprogs.tsv"
    fi
}

# The same with the log replayed, where there is a manifest of that or the table says that there is a log to replay:
# walk_replayed FOLDER IMAGE OFFSET SIZE EXCEPTIONS
walk_replayed() {
    local manifest=manifests/${2/!//}.replayed.tsv status=0
    if [ ! -f "$1/$manifest" ]; then
        awk -F '\t' -v image="$2" '$1 == image && $7 ~ /needs_recovery/ { found = 1 } END { exit !found }' \
            "$1/volumes.tsv" || return 0
    fi
    limited_manifest image --format raw --offset "$3" --size "$4" "$scratch/disk" \
        >"$scratch/rows" 2>"$scratch/messages" || status=$?
    count replayed
    if [ "$status" -gt 1 ]; then
        printf '%s, replayed: ended by status %d\n' "$2" "$status"
        count broken
    elif [ -f "$1/$manifest" ]; then
        judge_sound "$2, replayed" "$1/$manifest" "$5"
    else
        judge_damaged "$status"
    fi
}

walk_volume() {
    local folder=$1 image=$2 offset=$3 size=$4 manifest=$5 exceptions=$6 status=0
    make_disk "$folder" "$image" || fail "$image: cannot be unpacked"
    limited_manifest image --format raw "${corpora_options[@]}" --offset "$offset" --size "$size" "$scratch/disk" \
        >"$scratch/rows" 2>"$scratch/messages" || status=$?
    if [ "$status" -gt 1 ]; then
        printf '%s: ended by status %d\n' "$image" "$status"
        tail -n 5 "$scratch/messages"
        count broken
    elif [[ $manifest == manifests/* ]]; then
        judge_sound "$image" "$folder/$manifest" "$exceptions"
    else
        judge_damaged "$status"
    fi
    walk_replayed "$folder" "$image" "$offset" "$size" "$exceptions"
}

walk_corpora() {
    local type=$1 exceptions=$2 minimum=$3 folder image offset size manifest volumes=0
    need gzip bzip2 xz zstd unzip tar qemu-img timeout
    folder=$(corpora_folder) || exit $?
    while IFS='|' read -r -u 3 image offset size manifest; do
        walk_volume "$folder" "$image" "$offset" "$size" "$manifest" "$exceptions"
        volumes=$((volumes + 1))
    done 3< <(volumes_of "$folder" "$type")
    printf 'sound: %d equal, %d different as explained, %d different; damaged: %d refused, %d partial, %d whole; broken: %d; with a log to replay: %d\n' \
        "${corpora_count[equal]}" "${corpora_count[explained]}" "${corpora_count[differing]}" \
        "${corpora_count[refused]}" "${corpora_count[partial]}" "${corpora_count[whole]}" "${corpora_count[broken]}" \
        "${corpora_count[replayed]}"
    [ "$volumes" -ge "$minimum" ] || fail "only $volumes volumes found"
    [ "${corpora_count[differing]}" -eq 0 ] && [ "${corpora_count[broken]}" -eq 0 ]
}
