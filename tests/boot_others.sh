#!/usr/bin/env bash
# Boots images that take minutes to make, so that the tests do without them: Debian 13, and Debian with sysvinit, with
# OpenRC started by that, and with OpenRC's own init.
#   VMFS=PROGRAM tests/boot_others.sh [trixie|sysvinit|openrc|openrc-init]...
set -euo pipefail
VMFS_SOURCE=$(cd "$(dirname "$0")/.." && pwd)
: "${VMFS:=$VMFS_SOURCE/build/release/launcher/vmfs}" "${VMFS_FIXTURES:=$VMFS_SOURCE/build/fixtures}"
. "$VMFS_SOURCE/tests/run_lib.sh"
delegate

# boot NAME SIGN OPTIONS...: an image made with the options shows the sign when it has come up, and then shuts down.
# "$link" becomes its /sbin/init, where it has none.
link=""
boot() {
    local name=$1 sign=$2 status=0
    bash "$VMFS_SOURCE/tests/debian-image.sh" "${@:3}" "$scratch/$name.qcow2"
    [ -z "$link" ] || as_user "$VMFS" run --network none --overlay "$work/changes.$name" "$scratch/$name.qcow2" ln -s "$link" /sbin/init
    (in_delegated "$VMFS" run --boot --network none --overlay "$work/changes.$name" "$scratch/$name.qcow2") </dev/null >"$work/console" 2>&1 &
    await_console "$sign" 60
    kill -TERM "$(pgrep -o -f "run --boot --network none --overlay $work/changes.$name")"
    wait "$!" || status=$?
    [ "$status" -eq 0 ] || fail "$name: status $status: $(cat "$work/console")"
    ! grep FAILED "$work/console" || fail "$name: units failed"
    printf '%s: came up and shut down\n' "$name"
}

[ $# -gt 0 ] || set -- trixie sysvinit openrc openrc-init
for name; do
    case $name in
    trixie) boot trixie 'Reached target.*multi-user.target' --suite trixie --include dbus,nginx-light,openssh-server ;;
    sysvinit) boot sysvinit 'Starting nginx' --init sysvinit-core --include nginx-light ;;
    openrc) boot openrc 'Starting nginx' --init sysvinit-core --include openrc,nginx-light ;;
    openrc-init) link=openrc-init boot openrc-init 'Starting nginx' --init openrc --include nginx-light ;;
    *) fail "no image of this name: $name" ;;
    esac
done
wait_until all_gone
wait_until no_groups_left
