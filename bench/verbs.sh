# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# The group "verbs" of bench/compare.sh: what vmfs answers without a mount, and the programs of these names on the kernel's.
need sha256sum xargs

# All in the root but the large file and links, which a hash would follow.
names_in_root() { find "$mnt" -mindepth 1 -maxdepth 1 ! -name big ! -type l -printf '%P\n' | sort; }

# tar_of SYSTEM [OPTION-OF-TAR...]
tar_of() {
    case $1 in
    kernel) tar -C "$mnt" "${@:2}" -cf - "${names[@]}" 2>"$scratch/tar.log" ;;
    vmfs) "$VMFS" tar "$images/debian.raw" "${names[@]}" 2>"$scratch/tar.log" ;;
    esac
}
# tar does not read at all when its output is /dev/null.
tar_through_pipe() { tar_of "$1" | cat >/dev/null; }

hash_of() {
    case $1 in
    kernel) (cd "$mnt" && find "${names[@]}" -type f -print0 | xargs -0 -n 100 -P "$(nproc)" sha256sum) ;;
    vmfs) "$VMFS" hash "$images/debian.raw" "${names[@]}" ;;
    esac
}
hash_to_file() { hash_of "$1" >"$scratch/hashes.$1"; }

cat_of() {
    case $1 in
    kernel)
        start_export "$images/eight.qcow2"
        mount -o "loop,ro,noload,offset=$offset" "$export" "$mnt"
        cat "$mnt/etc/os-release"
        umount "$mnt"
        stop_export
        ;;
    vmfs) "$VMFS" cat "$images/eight.qcow2" /etc/os-release ;;
    esac
}
cat_to_file() { cat_of "$1" >"$scratch/text.$1"; }

# The archives have the same members, the files the same digests, the file the same text: check_same SYSTEM
check_same() {
    show kernel
    same verbs.tar "$(tar_of "$1" --sort=name | tar --numeric-owner -tvf - | sort | sha256sum)"
    hash_to_file "$1"
    same verbs.hash "$(sort -k 2 "$scratch/hashes.$1" | sha256sum)"
    hide kernel
    cat_to_file "$1"
    same verbs.cat "$(sha256sum <"$scratch/text.$1")"
}

measure_verbs() {
    show kernel
    drop_caches
    timed verbs "$1" 'tar, cold (s)' tar_through_pipe "$1"
    timed verbs "$1" 'tar, warm (s)' tar_through_pipe "$1"
    drop_caches
    timed verbs "$1" 'hash, cold (s)' hash_to_file "$1"
    timed verbs "$1" 'hash, warm (s)' hash_to_file "$1"
    hide kernel
    drop_caches
    timed verbs "$1" 'cat of one file of 8 GiB, cold (s)' cat_to_file "$1"
    timed verbs "$1" 'cat of one file of 8 GiB, warm (s)' cat_to_file "$1"
}

show kernel
mapfile -t names < <(names_in_root)
hide kernel
for system in kernel vmfs; do check_same "$system"; done
interleaved "$rounds" measure_verbs kernel vmfs
