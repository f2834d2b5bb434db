#!/usr/bin/env bash
# Compares how long it takes to run true(1) in a container, from the call to the end, in interleaved rounds:
#   bench/start.sh [--rounds N] [--runs N] [--vmfs PROGRAM] [--results FILE] [SYSTEM...]
# SYSTEM is any of: crun bwrap podman (on the image's tree, unpacked), vmfs vmfs-qcow2 (on the image); all of them by
# default, compared with the first. A round starts N containers one after another. All run as the same ordinary user,
# without a network of their own, with the kernel's caches warm.
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
VMFS_SOURCE=$(cd "$(dirname "$0")/.." && pwd)
: "${VMFS:=$VMFS_SOURCE/build/release/launcher/vmfs}" "${VMFS_TOOLS:=}" "${VMFS_FIXTURES:=}"
export VMFS VMFS_TOOLS VMFS_FIXTURES VMFS_SOURCE
. "$VMFS_SOURCE/packages.sh"
[ "$EUID" -ne 0 ] || install_packages image bench
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/bench/lib.sh"

# crun and podman want cgroups of version 2 where they are by themselves on a machine.
if [ "$EUID" -eq 0 ] && [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    rmdir "$scratch"
    exec unshare --mount bash -c 'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec bash "$@"' - "$0" "$@"
fi

rounds=7 runs=10 results="" systems=()
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --vmfs) VMFS=$2; shift 2 ;;
    --results) results=$2; shift 2 ;;
    -*) fail "unknown option $1" ;;
    *) systems+=("$1"); shift ;;
    esac
done
[ ${#systems[@]} -gt 0 ] || systems=(crun bwrap podman vmfs vmfs-qcow2)
need crun bwrap podman newuidmap jq

bash "$VMFS_SOURCE/tests/debian-image.sh" "$scratch/debian.raw" "$scratch/debian.qcow2"
as_user true
bundle=$scratch/bundle
install -d "$bundle" "$bundle/rootfs"
[ "$EUID" -ne 0 ] || chown "$test_user" "$bundle" "$bundle/rootfs"
"$VMFS" tar "$scratch/debian.raw" | as_user tar -x --no-same-owner -C "$bundle/rootfs" --exclude './dev/*'

# crun spec's own, but for the command, the terminal and the network
as_user bash -c 'cd "$1" && crun spec --rootless' - "$bundle"
as_user bash -c 'jq "$2" "$1/config.json" >"$1/new" && mv "$1/new" "$1/config.json"' - "$bundle" \
    '.process.args = ["true"] | .process.terminal = false | .root.readonly = false
     | .linux.namespaces = ([.linux.namespaces[] | select(.type != "network")] + [{"type": "network"}])'
as_user mkdir -p -m 0700 "$bundle/run"

# start SYSTEM TIMES: in one shell of the user, so that nothing else is measured
start() {
    local command
    case $1 in
    crun) command=(crun --cgroup-manager=disabled run --bundle "$bundle" "bench-$$") ;;
    bwrap) command=(bwrap --unshare-all --bind "$bundle/rootfs" / --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run true) ;;
    podman) command=(podman run --rm --network none --cgroups disabled --rootfs "$bundle/rootfs" true) ;;
    vmfs) command=("$VMFS" run --network none "$scratch/debian.raw" true) ;;
    vmfs-qcow2) command=("$VMFS" run --network none "$scratch/debian.qcow2" true) ;;
    *) fail "unknown system $1" ;;
    esac
    as_user env XDG_RUNTIME_DIR="$bundle/run" bash -c 'for ((i = 0; i < $1; i++)); do "${@:2}" || exit; done' - "$2" "${command[@]}"
}

measure() { timed start "$1" "$runs starts one after another (s)" start "$1" "$runs"; }

report() {
    printf '# Start of a container\n\n%d rounds, Linux %s, %d processors.\n' "$rounds" "$(uname -r)" "$(nproc)"
    python3 "$VMFS_SOURCE/bench/report.py" "$scratch/values"
}

for system in "${systems[@]}"; do start "$system" 1; done # caches
interleaved "$rounds" measure "${systems[@]}"
if [ -n "$results" ]; then report | tee "$results"; else report; fi
