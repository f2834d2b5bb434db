#!/usr/bin/env bash
# How a container ends: signals, each of its processes killed, and many containers on one image.
# needs: debian
# alone with: containers
# timeout: 180
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need pgrep sha256sum python3
before=$(sha256sum <"$image")

# A container that says when it runs: begin [OPTION...] COMMAND-TEXT. What it writes to standard output is in $work/out.
begin() {
    rm -f "$work/out"
    as_user touch "$work/out"
    start run "${@:1:$#-1}" "$image" sh -c "echo ready; ${*: -1}" >"$work/out"
    wait_until grep -q ready "$work/out"
}

# a plain command dies of the signals it does not handle, although PID 1 of a namespace would not
for signal in INT TERM HUP QUIT USR1; do
    begin 'exec sleep 60'
    kill -"$signal" "$started"
    ended $((128 + $(kill -l "$signal")))
    all_gone || fail "SIG$signal left processes"
done

# Ctrl-C reaches what a shell waits for; a handler decides; its status counts
begin 'sleep 60'
kill -INT "$started"
ended 130
begin 'trap "echo caught; exit 3" TERM; while :; do sleep 0.1; done'
kill -TERM "$started"
ended 3
grep -q caught "$work/out" || fail 'output of a handler'

# as PID 1 it gets what it handles, and nothing else
begin --init=false 'sleep 60'
kill -INT "$started"
kill -TERM "$started"
sleep 0.3
[ -e "/proc/$started" ] || fail 'PID 1 died of a signal that it does not handle'
kill -KILL "$started"
ended 137
begin --init=false 'trap "echo caught; exit 4" INT; while :; do sleep 0.1; done'
kill -INT "$started"
ended 4

# each process of ours killed: the container ends at once, nothing is left
role_launcher() { echo "$started"; }
role_keeper() { pgrep -P "$started" -x vmfs-keeper; }
role_server() { pgrep -P "$(role_keeper)" -x vmfs; }
role_init() { pgrep -P "$started" -x vmfs-init; }
for role in launcher:137 keeper:125 server:125 init:137; do
    status=${role#*:} role=${role%:*}
    begin 'sleep 60 & trap "" TERM; sleep 60'
    inside=$(pgrep -P "$(role_init)" -x sh)
    kill -KILL "$("role_$role")"
    ended "$status"
    wait_until all_gone
    wait_until bash -c '! [ -e "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"' - "$inside"
    mount_left "$image" fuse.vmfs ' fuse ' && fail "the $role left a mount"
done

# nobody reads what it writes: signals arrive all the same, and the launcher does not wait for ever
mkfifo "$work/full"
[ "$EUID" -ne 0 ] || chown "$test_user" "$work/full"
exec 7<>"$work/full"
# full COMMAND...: a container whose output fills the pipe
full() {
    start run --network none "$image" "$@" >"$work/full"
    init=$(wait_until pgrep -x -P "$started" vmfs-init >/dev/null; pgrep -x -P "$started" vmfs-init)
    wait_until blocked
}
# the pipe holds so many bytes in two looks
blocked() { [ "$(waiting_bytes)" -ge 65536 ]; }
waiting_bytes() { python3 -c 'import fcntl, struct, termios; print(struct.unpack("i", fcntl.ioctl(7, termios.FIONREAD, b"\0" * 4))[0])'; }
empty() { python3 -c 'import fcntl, os; fcntl.fcntl(7, fcntl.F_SETFL, os.O_NONBLOCK)
try:
    while os.read(7, 65536): pass
except BlockingIOError: pass'; }
for signal in TERM INT; do
    full yes
    kill -"$signal" "$started"
    ended $((128 + $(kill -l "$signal")))
    all_gone || fail "SIG$signal with a full pipe left processes"
    empty
done
# one that is killed from within waits for its reader until it is told to end
full sh -c 'yes & sleep 1; kill -KILL $$'
wait_until bash -c '! kill -0 "$1" 2>/dev/null' - "$init"
kill -0 "$started" || fail 'output given up'
kill -TERM "$started"
ended 137
exec 7<&-
# a slow reader gets all of it
[ "$(in_container seq 1 200000 | { sleep 1; sha256sum; })" = "$(seq 1 200000 | sha256sum)" ] || fail 'a slow reader: other bytes'

# kill from within: PID 1 is out of reach, all others are not
transcript 137 '*' in_container sh -c 'kill -KILL 1; kill -KILL -1; sleep 1; kill -KILL $$'

# many at once on one image
for ((i = 0; i < 50; i++)); do
    in_container sh -c "echo $i >/etc/mine; sha256sum /usr/bin/perl >/tmp/sum; cat /etc/mine" >"$scratch/out.$i" 2>&1 &
    jobs[i]=$!
done
for ((i = 0; i < 50; i++)); do
    wait "${jobs[i]}" || fail "container $i: $(cat "$scratch/out.$i")"
    [ "$(cat "$scratch/out.$i")" = "$i" ] || fail "container $i: $(cat "$scratch/out.$i")"
done
wait_until all_gone
[ "$(sha256sum <"$image")" = "$before" ] || fail 'the image was written'
