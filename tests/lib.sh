# shellcheck shell=bash
# What the scripts of fixtures/ and e2e/ share. Use: . "$VMFS_SOURCE/tests/lib.sh"
# Sourcing it makes the folder $scratch and cleans up at the end whatever on_exit() was told.

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Leaves the test undone; where CI is set that is a failure.
skip() {
    [ -z "${CI:-}" ] || fail "may not be skipped here: $*"
    printf '%s: skipped: %s\n' "${0##*/}" "$*" >&2
    exit 77
}

# A missing tool is a failure everywhere: tests/run.sh installs them.
need() {
    local tool
    for tool; do
        command -v "$tool" >/dev/null || fail "needs $tool"
    done
}

# has_sanitizer PROGRAM: it was built for AddressSanitizer or ThreadSanitizer, which keep memory and reserve addresses.
has_sanitizer() { grep -q '__[at]san_init' "$1"; }

# Runs the calling script again as root if an ordinary user started it, in mount and process namespaces of its
# own: whatever ends it, no mount, loop device or server stays behind. Call: need_root "$@"
need_root() {
    [ -z "${VMFS_TEST_NAMESPACE:-}" ] || return 0
    rmdir "$scratch"
    local command=(unshare --mount --pid --fork --kill-child --mount-proc env VMFS_TEST_NAMESPACE=1 bash "$0" "$@")
    [ "$EUID" -ne 0 ] || exec "${command[@]}"
    sudo -n true 2>/dev/null || skip "needs root for loop mounts"
    exec sudo -n CI="${CI:-}" VMFS="$VMFS" VMFS_TOOLS="$VMFS_TOOLS" VMFS_FIXTURES="$VMFS_FIXTURES" \
        VMFS_SOURCE="$VMFS_SOURCE" VMFS_CORPORA="${VMFS_CORPORA:-}" PATH="$PATH" "${command[@]}"
}

exit_commands=()

# Remembers a command for the end of the script; the last remembered runs first.
on_exit() {
    exit_commands=("$(printf '%q ' "$@")" "${exit_commands[@]}")
}

run_exit_commands() {
    local status=$? command
    for command in "${exit_commands[@]}"; do
        eval "$command" || true
    done
    exit "$status"
}
trap run_exit_commands EXIT

scratch=$(mktemp -d "${TMPDIR:-/tmp}/vmfs-test.XXXXXX")
chmod 0755 "$scratch"

# What a failed test left mounted goes first, or its folder could not.
clean_scratch() {
    local mounted
    awk -v folder="$scratch/" 'index($2, folder) == 1 { print $2 }' /proc/self/mounts | tac | while read -r mounted; do
        umount --lazy "$mounted" 2>/dev/null || fusermount3 -u -z "$mounted"
    done
    rm -rf --one-file-system "$scratch"
}
on_exit clean_scratch

# mount_left TEXT...: a line of the mount table has one of these, and is none of another test, which mounts in a folder of
# its own.
mount_left() { awk -v own="$scratch/" -v any="${scratch%.*}." 'index($2, any) != 1 || index($2, own) == 1' /proc/self/mounts | grep -F "${@/#/--regexp=}"; }

# Runs a command while the kernel shows FILE at DIRECTORY:
#   with_loop_mount FILE TYPE OPTIONS DIRECTORY COMMAND...
# Returns 32 where the kernel refuses to mount, else the command's status.
with_loop_mount() {
    local file=$1 type=$2 options=$3 mount_point=$4 status=0
    shift 4
    mkdir -p "$mount_point"
    mount -t "$type" -o "loop,$options" "$file" "$mount_point" 2>"$scratch/mount.log" || return 32
    "$@" || status=$?
    umount "$mount_point" || fail "$mount_point: still in use"
    return "$status"
}

# Options that make the kernel show what is on the disk, nothing replayed: unreplayed_options TYPE
unreplayed_options() {
    case $1 in
    ext2) echo ro,errors=continue ;;
    ext[34]) echo ro,noload,errors=continue ;;
    xfs) echo ro,norecovery,nouuid ;;
    *) echo ro ;;
    esac
}

test_user=${VMFS_TEST_USER:-vmfs-test}

# Runs a command as an ordinary user who has ranges of subordinate ids and may use FUSE and tap devices: stock systems
# have both devices open to everybody.
as_user() {
    if [ "$EUID" -ne 0 ]; then
        "$@"
        return
    fi
    if ! id "$test_user" >/dev/null 2>&1; then
        useradd --create-home --shell /bin/bash "$test_user"
    fi
    grep -q "^$test_user:" /etc/subuid || usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$test_user"
    chmod 0666 /dev/fuse /dev/net/tun
    setpriv --reuid "$test_user" --regid "$test_user" --init-groups \
        env HOME="/home/$test_user" USER="$test_user" LOGNAME="$test_user" "$@"
}

# The folder of other projects' images, or an end of the test where there is none.
corpora_folder() {
    local folder=${VMFS_CORPORA:-$VMFS_SOURCE/../shared/corpora}
    [ -d "$folder" ] || skip "no corpora at $folder"
    printf '%s\n' "$folder"
}

# Makes the host's users and groups those of the guest whose root is at DIRECTORY, in this script's mount namespace only:
# with_guest_accounts DIRECTORY COMMAND...
with_guest_accounts() {
    local table status=0
    for table in passwd group; do
        if [ -f "$1/etc/$table" ]; then cp "$1/etc/$table" "$scratch/$table"; else : >"$scratch/$table"; fi
    done
    # Else systemd names root where no file does.
    printf 'passwd: files\ngroup: files\n' >"$scratch/nsswitch.conf"
    for table in passwd group nsswitch.conf; do mount --bind "$scratch/$table" "/etc/$table"; done
    "${@:2}" || status=$?
    umount /etc/passwd /etc/group /etc/nsswitch.conf
    return "$status"
}
