#!/usr/bin/env bash
# Containers by name: in the background, listed, entered, stopped, waited for, and what is told of each.
# needs: debian
# alone with: containers
# timeout: 180
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need jq pgrep

detached() { vmfs run -d --network none "$@"; }
is_listed() { vmfs ps -q "${@:2}" | grep -x "$1" >/dev/null; }
is_ended() { vmfs ps -a --json | jq -e --arg name "$1" '.[] | select(.name == $name and .status == "exited")' >/dev/null; }

# nothing yet
transcript 0 'NAME*IMAGE*COMMAND*CREATED*STATUS*PID' vmfs ps
transcript 0 '' vmfs ps -q
transcript 0 '[]' vmfs ps --json
transcript 1 'vmfs: none: no container of this name; `vmfs ps -a` shows*' vmfs stop none
transcript 125 'vmfs: none: no container of this name*' vmfs exec none true
transcript 1 'vmfs: ../x: no container of this name*' vmfs logs ../x

# in the background: the name is printed once the command runs; nothing of the caller is held
transcript 0 one detached --name one "$image" sh -c 'echo begun; sleep 300'
[ "$(detached --name two "$image" sleep 300 2>&1 | cat)" = two ] || fail 'the streams of the caller are held'
vmfs ps >"$scratch/ps"
grep -q "^NAME  *IMAGE  *COMMAND  *CREATED  *STATUS  *PID$" "$scratch/ps" || fail "$(cat "$scratch/ps")"
grep -q -E "^two  *$image  *sleep 300  *[0-9]+ seconds? ago  *Up [0-9]+ seconds?  *[0-9]+$" "$scratch/ps" || fail "$(cat "$scratch/ps")"
grep -q -E "^one  *$image  *sh -c echo begun; sleep 300 " "$scratch/ps" || fail "$(cat "$scratch/ps")"
[ "$(vmfs ps -q | sort)" = $'one\ntwo' ] || fail "$(vmfs ps -q)"
made=$(detached "$image" sleep 300)
[[ $made =~ ^debian-[0-9a-f]{4}$ ]] || fail "made name $made"
vmfs ps --json | jq -e --arg made "$made" --arg image "$image" '[.[] | select(.status == "running" and .image == $image)] | length == 3' >/dev/null ||
    fail "$(vmfs ps --json)"
transcript 125 'vmfs: --name one: there is a container of this name*' vmfs run --name one "$image" true
transcript 125 'vmfs: --name a/b: a letter or digit*' vmfs run --name a/b "$image" true

# errors of starting are told as in the foreground, and leave nothing
transcript 127 'vmfs: nonesuch: no such command in the image' detached --name bad "$image" nonesuch
transcript 126 'vmfs: /etc/passwd: Permission denied' detached --name bad "$image" /etc/passwd
transcript 125 "vmfs: no user 'nobody-here'*" detached --name bad -u nobody-here "$image" true
transcript 125 'vmfs: *absent.img*' detached --name bad "$scratch/absent.img" true
transcript 125 'vmfs: --stop-signal NONE: no such signal*' detached --stop-signal NONE "$image" true
is_listed bad -a && fail 'a container that never started is listed'

# exec: the same root, processes, network, hostname and rights, and exit statuses as run's
transcript 0 $'root\n/\ndebian' vmfs exec one sh -c 'id -un; pwd; hostname'
vmfs exec one sh -c 'echo text >/shared'
transcript 0 text vmfs exec one cat /shared
transcript 1 '*No such file*' vmfs exec two cat /shared
transcript 0 'sleep 300' vmfs exec one sh -c 'tr "\0" " " </proc/2/cmdline | grep -o "sleep 300"'
for space in user mnt pid ipc uts net cgroup; do
    [ "$(vmfs exec one readlink "/proc/self/ns/$space")" = "$(vmfs exec one sh -c "cd /proc/2/ns; readlink $space")" ] || fail "other $space namespace"
    [ "$(vmfs exec one readlink "/proc/self/ns/$space")" != "$(readlink "/proc/self/ns/$space")" ] || fail "$space namespace of the machine"
done
transcript 3 '' vmfs exec one sh -c 'exit 3'
transcript 143 '' vmfs exec one sh -c 'kill -TERM $$'
transcript 127 'vmfs: nonesuch: no such command in the image' vmfs exec one nonesuch
transcript 126 'vmfs: /etc/passwd: Permission denied' vmfs exec one /etc/passwd
transcript 2 'vmfs: *--colour*' vmfs exec --colour one true
transcript 125 'vmfs: a command is wanted' vmfs exec one
transcript 0 'a -- b' vmfs exec one -- echo a -- b
transcript 0 'uid=1(daemon) gid=1(daemon)*' vmfs exec -u daemon one id
transcript 125 "vmfs: no user 'x' in the image's /etc/passwd" vmfs exec -u x one id
transcript 0 /usr/share vmfs exec -w /usr/share one pwd
transcript 126 'vmfs: working directory /none: No such file*' vmfs exec -w /none one pwd
transcript 0 $'A=1\nHOME=/root\ncontainer=vmfs' env SECRET=1 bash -c "$(declare -f as_user); test_user=$test_user; as_user \"\$0\" exec -e A=1 one sh -c 'env | grep -E \"^(A|HOME|container|SECRET)=\" | sort'" "$VMFS"
[ "$(echo text | vmfs exec -i one cat)" = text ] || fail 'exec -i does not read'
[ "$(echo text | vmfs exec one cat)" = '' ] || fail 'exec reads without -i'
caps='grep -E "^(Cap(Eff|Bnd|Amb)|Seccomp|NoNewPrivs):" /proc/self/status'
[ "$(vmfs exec one sh -c "$caps")" = "$(vmfs run --network none "$image" sh -c "$caps")" ] || fail "exec: other rights: $(vmfs exec one sh -c "$caps")"
[ "$(vmfs exec -u daemon one sh -c "$caps")" = "$(vmfs run --network none -u daemon "$image" sh -c "$caps")" ] || fail 'exec -u: other rights'
exec 7<"$work" 8<"$VMFS"
transcript 0 $'0\n1\n2\n3' vmfs exec one ls /proc/self/fd
exec 7<&- 8<&-
transcript 0 '' vmfs exec one sh -c 'for fd in /proc/self/fd/*; do case $(readlink $fd) in /dev/null|pipe:*|/proc/*|"") ;; *) ls -l $fd ;; esac; done'
transcript fails '*' vmfs exec one hostname other
transcript 0 $'/dev/pts/0\r' vmfs exec -t one tty
transcript 0 '' vmfs exec -d one touch /run/detached
wait_until vmfs exec one test -e /run/detached
transcript 127 'vmfs: nonesuch: *' vmfs exec -d one nonesuch

# what an exec'd command gets goes with its client
inside_sleeps() { vmfs exec one sh -c 'grep -z -l -x 301 /proc/[0-9]*/cmdline' >/dev/null 2>&1; }
start exec one sleep 301
wait_until inside_sleeps
kill -INT "$started"
ended 130
start exec one sleep 301
wait_until inside_sleeps
kill -KILL "$started"
ended 137
gone_inside() { ! inside_sleeps; }
wait_until gone_inside

# logs: both outputs in order, of a container that runs and of one that has ended
transcript 0 begun vmfs logs one
transcript 0 three detached --name three "$image" sh -c 'echo out; echo err >&2; echo out2; exit 7'
transcript 0 7 vmfs wait three
wait_until is_ended three
transcript 0 $'out\nerr\nout2' vmfs logs three
transcript 0 $'out\nerr\nout2' vmfs logs -f three
transcript 0 7 vmfs wait three
transcript 0 '*three *Exited (7) *ago*' vmfs ps -a
is_listed three && fail 'ps shows what has ended'
transcript 125 'vmfs: three: the container has ended' vmfs exec three true
transcript 0 three vmfs stop three
transcript 1 'vmfs: three: the container has ended' vmfs kill three
transcript 125 'vmfs: --name three: there is a container*' vmfs run --name three "$image" true
transcript 0 three vmfs rm three
is_listed three -a && fail 'removed, and listed'
transcript 0 four detached --name four "$image" sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done'
transcript 0 $'1\n2\n3\n4\n5' vmfs logs -f four
# bounded: what is kept is the end
transcript 0 five detached --name five "$image" sh -c 'seq 1 2000000'
transcript 0 0 vmfs wait five
wait_until is_ended five
vmfs logs five >"$scratch/log"
size=$(stat -c %s "$scratch/log")
((size <= 8 << 20 && size >= 4 << 20)) || fail "log of $size bytes"
[ "$(tail -n 1 "$scratch/log")" = 2000000 ] || fail 'the end of the log is lost'
[ "$(tail -n 400000 "$scratch/log" | head -n 1)" = 1600001 ] || fail 'the log has gaps'

# --rm: nothing stays; foreground containers never stay
transcript 0 six detached --rm --name six "$image" true
gone() { ! is_listed "$1" -a; }
wait_until gone six
transcript 0 '' vmfs run --network none --name seven "$image" true
is_listed seven -a && fail 'a container in front stays'
start run --network none --name seven "$image" sleep 60
wait_until is_listed seven
transcript 0 seven vmfs stop -t 5 seven
ended 143

# stop: the stop signal, then the end; kill: any signal
transcript 0 eight detached --name eight --stop-signal USR1 --stop-timeout 60 "$image" sh -c 'trap "echo stopped; exit 4" USR1; echo ready; while :; do sleep 0.05; done'
has_log() { [ "$(vmfs logs "$1")" = "$2" ]; }
wait_until has_log eight ready
transcript 0 eight vmfs stop eight
transcript 0 4 vmfs wait eight
transcript 0 $'ready\nstopped' vmfs logs eight
transcript 0 nine detached --name nine "$image" sh -c 'trap "" TERM; trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done'
wait_until has_log nine ready
transcript 0 nine vmfs kill -s HUP nine
wait_until has_log nine $'ready\nhup'
transcript 1 'vmfs: nine: the container runs; *' vmfs rm nine
transcript 0 nine vmfs stop -t 1 nine
transcript 0 137 vmfs wait nine
transcript 0 $'eight\nfour\nfive\nnine' vmfs rm eight four five nine
transcript 1 $'one\nvmfs: none: no container*\ntwo' vmfs rm -f one none two
transcript 0 "$made" vmfs rm -f "$made"

# the folder of states: the user's alone, made where it is missing, refused where it is another's
transcript 0 '[]' vmfs ps -a --json
as_user env XDG_RUNTIME_DIR=/nonesuch "$VMFS" ps -q
folder=/tmp/vmfs-$(as_user id -u)
if [ -d "$folder" ]; then
    [ "$(stat -c '%a %U' "$folder")" = "700 $(as_user id -un)" ] || fail "$folder is not private"
    chmod 0755 "$folder"
    transcript 1 "vmfs: $folder: not a folder that is yours alone*" as_user env XDG_RUNTIME_DIR=/nonesuch "$VMFS" ps
    rm -r "$folder"
fi

# a long way to the folder is no obstacle for its socket
long=$work/$(printf 'x%.0s' {1..200})
as_user mkdir -m 0700 "$long"
transcript 0 ten as_user env XDG_RUNTIME_DIR="$long" "$VMFS" run -d --network none --name ten "$image" sleep 300
transcript 0 root as_user env XDG_RUNTIME_DIR="$long" "$VMFS" exec ten id -un
transcript 0 ten as_user env XDG_RUNTIME_DIR="$long" "$VMFS" rm -f ten

# the host's network, and root's own containers
transcript 0 eleven vmfs run -d --rm --network host --name eleven "$image" sleep 300
transcript 0 '*lo*' vmfs exec eleven ls /sys/class/net
transcript 0 eleven vmfs stop eleven
if [ "$EUID" -eq 0 ]; then
    export XDG_RUNTIME_DIR=$scratch/root-runtime
    mkdir -m 0700 "$XDG_RUNTIME_DIR"
    transcript 0 twelve "$VMFS" run -d --rm --network none --name twelve "$image" sleep 300
    transcript 0 $'root\n0' "$VMFS" exec twelve sh -c 'id -un; id -u'
    transcript 0 twelve "$VMFS" stop twelve
fi
wait_until all_gone
