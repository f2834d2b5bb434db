#!/usr/bin/env bash
# Each process of a container in the background killed: the container ends, and nothing is left of it.
# needs: debian
# alone with: containers
# timeout: 180
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need jq pgrep pasta

field() { vmfs ps --json | jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2"; }
role_launcher() { field "$1" launcher; }
role_init() { field "$1" pid; }
role_keeper() { pgrep -P "$(field "$1" launcher)" -x vmfs-keeper; }
role_server() { pgrep -P "$(role_keeper "$1")" -x vmfs; }
role_pasta() { pgrep -P "$(field "$1" launcher)" -f "^pasta "; }
carriers() { pgrep -u "$(as_user id -u)" -r R,S,D,T -f '^pasta --config-net' || true; }
no_carrier() { [ -z "$(carriers)" ]; }
dead() { ! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
gone() { [ -z "$(vmfs ps -aq)" ] && [ -z "$(ls -A "$XDG_RUNTIME_DIR/vmfs")" ]; }

# ROLE:STATUS that stays behind; "none": a killed launcher could not write one down
for role in launcher:none keeper:125 server:125 init:137 pasta:125; do
    status=${role#*:} role=${role%:*}
    transcript 0 victim vmfs run -d --name victim "$image" sh -c 'sleep 300 & trap "" TERM; echo begun; sleep 300'
    inside=$(pgrep -P "$(role_init victim)" -x sh)
    start exec victim sleep 300
    wait_until pgrep -P "$started" -x sleep >/dev/null
    kill -KILL "$("role_$role" victim)"
    # a command that runs in it ends too
    ended 137
    wait_until all_gone
    wait_until dead "$inside"
    wait_until no_carrier
    mount_left "$image" fuse.vmfs ' fuse ' && fail "the $role left a mount"
    [ "$(vmfs ps -q)" = '' ] || fail "the $role: still listed"
    if [ "$status" = none ]; then
        wait_until gone
        continue
    fi
    transcript 0 "$status" vmfs wait victim
    [ "$(vmfs logs victim | head -n 1)" = begun ] || fail "$role: log"
    transcript 0 victim vmfs rm victim
    gone || fail "the $role left: $(ls -A "$XDG_RUNTIME_DIR/vmfs")"
done

# the same in front, where nothing may stay
for role in launcher keeper server init pasta; do
    start run --name victim "$image" sh -c 'echo begun >&2; sleep 300' 2>"$scratch/begun"
    wait_until grep -q begun "$scratch/begun"
    kill -KILL "$("role_$role" victim)"
    wait "$!" && fail "$role: status 0"
    wait_until all_gone
    wait_until no_carrier
    wait_until gone
done

# killed while it starts, at any moment; with a network that takes its time, before pasta is up and just then
mkdir "$scratch/bin"
cat >"$scratch/bin/pasta" <<END
#!/bin/bash
sleep 0.05
exec -a pasta $(command -v pasta) "\$@"
END
chmod 0755 "$scratch/bin/pasta"
# one that never comes up
mkdir "$scratch/stuck"
printf '#!/bin/sh\nexec sleep 1234.5\n' >"$scratch/stuck/pasta"
chmod 0755 "$scratch/stuck/pasta"
is_stuck() { pgrep -u "$(as_user id -u)" -r R,S,D,T -f '^sleep 1234.5$' >/dev/null; }
not_stuck() { ! is_stuck; }
for signal in KILL TERM; do
    PATH="$scratch/stuck:$PATH" start run --network pasta --name victim "$image" sleep 300
    wait_until is_stuck
    kill -"$signal" "$started"
    ended $((128 + $(kill -l "$signal")))
    wait_until all_gone
    wait_until gone
    wait_until not_stuck
done
slow_or_gone() { no_carrier && ! pgrep -u "$(as_user id -u)" -f "$scratch/bin/pasta" >/dev/null; }
for network in none pasta; do
    for delay in 0 0.005 0.01 0.02 0.03 0.05 0.06 0.07 0.08 0.1 0.15; do
        PATH="$scratch/bin:$PATH" start run -d --network "$network" --name victim "$image" sleep 300 >/dev/null 2>&1
        sleep "$delay"
        # the one in front, and the launcher behind it
        behind=$(pgrep -P "$started" -x vmfs || true)
        # shellcheck disable=SC2086 # words
        kill -KILL $behind "$started" 2>/dev/null || true
        wait "$!" || true
        as_user "$VMFS" rm -f victim >/dev/null 2>&1 || true
        wait_until all_gone
        wait_until gone
        wait_until slow_or_gone
    done
done
