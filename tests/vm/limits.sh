#!/usr/bin/env bash
# An ordinary user's limits where systemd gives out cgroups: vmfs has itself moved to one that it may divide, and they hold.
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
runtime=$XDG_RUNTIME_DIR
. "$VMFS_SOURCE/tests/run_lib.sh"
export XDG_RUNTIME_DIR=$runtime # systemd's own, through which it is asked
grep -q session- /proc/self/cgroup || fail "no session: $(cat /proc/self/cgroup)"

# limited OUTPUT OPTION... COMMAND-TEXT
limited() { transcript 0 "*$1" vmfs run --network none "${@:2:$#-2}" "$image" sh -c "${*: -1}"; }

# as they are set
limited 67108864 -m 64m 'cat /sys/fs/cgroup/memory.max'
limited '25000 100000' --cpus 0.25 'cat /sys/fs/cgroup/cpu.max'
limited 33 --pids-limit 33 'cat /sys/fs/cgroup/pids.max'
limited 0::/ -m 64m 'cat /proc/self/cgroup'

# and as they are felt: memory that is too much kills, processes that are too many are refused, time is rationed
hungry='head -c 300m /dev/zero | tail -n 1 | wc -c'
limited 314572800 "$hungry"
transcript fails '*' vmfs run --network none -m 64m "$image" sh -c "$hungry | grep 314572800"
many='for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done; wait; echo all'
limited all --pids-limit 40 "$many"
transcript fails '*fork*' vmfs run --network none --pids-limit 8 "$image" sh -c "$many"
limited throttled --cpus 0.1 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; grep -q "^nr_throttled [1-9]" /sys/fs/cgroup/cpu.stat && echo throttled'

# a command that comes later counts too
vmfs run -d --name limited --network none --pids-limit 8 "$image" sleep 300
transcript 0 0::/ vmfs exec limited cat /proc/self/cgroup
transcript 0 8 vmfs exec limited cat /sys/fs/cgroup/pids.max
transcript fails '*fork*' vmfs exec limited sh -c "$many"
vmfs rm -f limited

# an init, with the controllers to give on
(vmfs run --boot --name init -m 512m --network none "$VMFS_FIXTURES/boot/boot.qcow2") </dev/null >"$work/console" 2>&1 &
await_console 'Reached target.*multi-user.target' 120
transcript 0 '*memory*' vmfs exec init cat /sys/fs/cgroup/cgroup.controllers
transcript 0 '*memory*' vmfs exec init cat /sys/fs/cgroup/system.slice/cgroup.controllers
vmfs stop init
wait "$!" || fail "the init ended with status $?"
wait_until all_gone
printf 'limits hold\n'
