#!/usr/bin/env bash
# The image's own systemd as a container: that it comes up whole, what it sees, and each way it ends.
# needs: boot
# alone with: containers
# timeout: 300
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need newuidmap pgrep sha256sum script setsid
image=$VMFS_FIXTURES/boot/boot.qcow2
before=$(sha256sum <"$image")
delegate

# A service that looks around once the system is up, and does then what $work/data/then says.
mkdir "$work/data"
cat >"$work/probe.service" <<'END'
[Unit]
Description=Probe
[Service]
ExecStart=/bin/bash /data/probe
ExecStop=/bin/sh -c 'echo stopped >/data/stopped; sh /data/at-stop'
TimeoutStopSec=infinity
END
cat >"$work/data/probe" <<'END'
for ((i = 0; i < 600; i++)); do
    state=$(systemctl is-system-running) || true
    case $state in starting | initializing) sleep 0.1 ;; *) break ;; esac
done
cd /data
echo "$state" >state
systemctl list-units --failed --plain --no-legend >failed
systemctl is-active multi-user.target dbus nginx ssh >active
systemctl is-enabled systemd-udev-trigger.service systemd-remount-fs.service systemd-fsck-root.service getty@tty1.service \
    systemd-modules-load.service sys-kernel-debug.mount systemd-networkd.service networking.service >masked
exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -n 1 <&3 | tr -d '\r' >nginx
journalctl -b --no-pager >journal
cp /etc/machine-id machine-id
grep -v '^#' /etc/fstab >fstab
systemd-detect-virt --container >virt
tr '\0' '\n' </proc/1/environ >environ
{ findmnt -no FSTYPE,OPTIONS /sys; findmnt -no FSTYPE,OPTIONS /sys/fs/cgroup; findmnt -no FSTYPE /run; findmnt -no FSTYPE /tmp; } >mounts
cat /proc/1/cgroup | sed -n 's/^0:://p' >cgroup
stat -c '%t' /dev/console >console
echo 'said on the console' >/dev/console
echo up >up
sh ./then
sleep infinity
END
[ "$EUID" -ne 0 ] || chown -R "$test_user" "$work"

# boot OPTIONS...: in the background; what is said on the console is in $work/console
boot() {
    rm -f "$work/data/"{up,stopped,state} "$work/pid"
    [ -e "$work/data/then" ] || printf ':\n' >"$work/data/then"
    [ -e "$work/data/at-stop" ] || printf ':\n' >"$work/data/at-stop"
    (in_delegated bash -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"' "$work/pid" "$VMFS" run --boot --network none \
        -v "$work/data:/data" -v "$work/probe.service:/etc/systemd/system/probe.service:ro" "$@" \
        "$image" -- systemd.wants=probe.service) </dev/null >"$work/console" 2>&1 &
    wait_until test -f "$work/pid"
    started=$(cat "$work/pid")
}
as_test() { ("$@"); }
is_up() { [ -e "$work/data/up" ]; }
wait_long() {
    local i
    for ((i = 0; i < 1200; i++)); do
        if "$@"; then return; fi
        sleep 0.05
    done
    fail "did not happen: $*: $(cat "$work/console")"
}
wait_for_up() { wait_long is_up; }
wait_for_console() { wait_long grep -q -- "$1" "$work/console"; }
nothing_left() {
    wait_until all_gone
    wait_until no_groups_left
}
is() { [ "$(cat "$work/data/$1")" = "$2" ] || fail "$1: $(cat "$work/data/$1")"; }
says() { grep -q -- "$1" "$work/console" || fail "no '$1' on the console: $(cat "$work/console")"; }

# it comes up, whole, and powers itself off
printf 'systemctl poweroff\n' >"$work/data/then"
boot
ended 0
nothing_left
is state running
is failed ''
is active $'active\nactive\nactive\nactive'
is nginx 'HTTP/1.1 200 OK'
grep -q 'Reached target multi-user.target' "$work/data/journal" || fail 'the journal lacks the boot'
grep -q 'Started nginx.service' "$work/data/journal" || fail 'the journal lacks services'
[ "$(sort -u "$work/data/masked")" = masked-runtime ] || fail "not masked: $(cat "$work/data/masked")"
is fstab ''
is virt container-other
grep -qx container=vmfs "$work/data/environ" || fail 'no container='
uuid=$(sed -n 's/^container_uuid=//p' "$work/data/environ")
first=$(cat "$work/data/machine-id")
[[ $first =~ ^[0-9a-f]{32}$ ]] || fail "machine id: $first"
[ "${uuid//-/}" = "$first" ] || fail "container_uuid is $uuid, the machine id $first"
[[ "$(tr '\n' ' ' <"$work/data/mounts")" == sysfs*ro,*cgroup2*rw,*tmpfs\ tmpfs\  ]] || fail "mounts: $(cat "$work/data/mounts")"
is cgroup /init.scope
is console 88 # a terminal of devpts
is stopped stopped
says 'said on the console'
says 'Reached target .*multi-user.target'
! grep -q $'\r' "$work/console" || fail 'carriage returns where no terminal is'
! grep -q FAILED "$work/console" || fail "failed: $(grep FAILED "$work/console")"

# SIGTERM from outside shuts it down; an overlay keeps the machine id, and what services wrote
rm "$work/data/then"
boot --overlay "$work/changes"
wait_for_up
kill -TERM "$started"
ended 0
nothing_left
is stopped stopped
says 'Stopped .*nginx.service'
second=$(cat "$work/data/machine-id")
[ "$second" != "$first" ] || fail 'two containers have the same machine id'

printf 'systemctl reboot\n' >"$work/data/then"
boot --overlay "$work/changes"
ended 0
nothing_left
is machine-id "$second"
is state running
rm "$work/data/then"

# SIGINT before the init can know of it is not lost
boot
wait_until pgrep -P "$started" >/dev/null
kill -INT "$started"
ended 0
nothing_left

# who does not stop in time, or is told so twice, is killed
printf 'echo hangs >/data/hangs; sleep 1000\n' >"$work/data/at-stop"
boot
wait_for_up
kill -TERM "$started"
wait_until test -e "$work/data/hangs"
kill -TERM "$started"
ended 137
nothing_left
rm "$work/data/hangs" "$work/data/at-stop"

# with a terminal there is a login prompt
(in_delegated script -qec "exec '$VMFS' run -it --boot --network none '$image'" /dev/null) <<<'' >"$work/console" 2>&1 &
wait_for_console 'debian login:'
launcher=$(pgrep -u "$(as_user id -u)" -o -f "vmfs run -it --boot")
kill -TERM "$launcher"
ended 0
nothing_left

# each of our processes killed: nothing is left
role_launcher() { echo "$started"; }
role_keeper() { pgrep -P "$started" -x vmfs-keeper; }
role_server() { pgrep -P "$(role_keeper)" -x vmfs; }
for role in launcher:137 keeper:125 server:125; do
    boot
    wait_for_up
    [ -z "$delegated" ] || [ -n "$(groups_left)" ] || fail 'the container has no group'
    kill -KILL "$("role_${role%:*}")"
    ended "${role#*:}"
    nothing_left
done
# all at once: the next container clears up; this one does not stop in time
boot
wait_for_up
kill -KILL "$(role_server)" "$(role_keeper)" "$started"
ended 137
wait_until all_gone
is_dead() { [ -z "$delegated" ] || ! grep -qs 'populated 1' "$delegated"/vmfs-[0-9]*/cgroup.events; }
wait_until is_dead
printf 'echo hangs >/data/hangs; sleep 1000\n' >"$work/data/at-stop"
boot --stop-timeout 1
wait_for_up
kill -TERM "$started"
ended 137
nothing_left
rm "$work/data/at-stop"

# by name, in the background: entered, listened to, stopped in good order
(in_delegated "$VMFS" run -d --name booted --boot --network none "$image") </dev/null >"$scratch/name" 2>&1 || fail "$(cat "$scratch/name")"
transcript 0 booted cat "$scratch/name"
has_bus() { vmfs exec booted test -S /run/dbus/system_bus_socket; }
wait_until has_bus
transcript 0 running vmfs exec booted systemctl is-system-running --wait
transcript 0 systemd vmfs exec booted cat /proc/1/comm
# a command is in the container's cgroup, unless it comes from too far away for that
transcript 0 0::/init.scope as_test in_delegated "$VMFS" exec booted sed -n '/^0::/p' /proc/self/cgroup
[ "$EUID" -ne 0 ] || transcript 0 '0::/../*' vmfs exec booted sed -n '/^0::/p' /proc/self/cgroup
transcript 0 '*Reached target *multi-user.target*' vmfs logs booted
transcript 0 booted vmfs stop booted
transcript 0 0 vmfs wait booted
transcript 0 '*Stopped *nginx.service*' vmfs logs booted
transcript 0 booted vmfs rm booted
nothing_left
# asked to stop before its init can know of it
(in_delegated "$VMFS" run -d --rm --name booted --boot --network none "$image") </dev/null >"$scratch/name" 2>&1 || fail "$(cat "$scratch/name")"
start logs -f booted >"$scratch/log"
transcript 0 booted vmfs stop -t 60 booted
ended 0
! grep -q $'\r' "$scratch/log" || fail 'carriage returns in the log'
nothing_left

[ "$(sha256sum <"$image")" = "$before" ] || fail 'the image was written'
! mount_left "$image" fuse.vmfs ' fuse ' || fail 'a mount is left'
