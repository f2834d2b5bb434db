# shellcheck shell=bash
# What the tests of `vmfs run` share. Use: . "$VMFS_SOURCE/tests/run_lib.sh"
. "$VMFS_SOURCE/tests/lib.sh"

image=$VMFS_FIXTURES/debian/debian.qcow2
as_user true
work=$scratch/work # a folder of the ordinary user
if [ "$EUID" -eq 0 ]; then install -d -o "$test_user" "$work"; else mkdir "$work"; fi

# Where names of containers are kept.
export XDG_RUNTIME_DIR=$work/runtime
as_user mkdir -m 0700 "$XDG_RUNTIME_DIR"

vmfs() { as_user "$VMFS" "$@"; }
in_container() { vmfs run "$image" -- "$@"; }

# Containers that a failed test left in the background.
end_containers() { vmfs ps -aq | while read -r name; do vmfs rm -f "$name" >/dev/null </dev/null; done; }
on_exit end_containers

# transcript STATUS OUTPUT COMMAND...: exit status ("fails": any but 0), and both streams; each * in the output
# stands for anything
transcript() {
    local status=0 output
    output=$("${@:3}" 2>&1 </dev/null) || status=$?
    [ "$1" != fails ] || [ "$status" -eq 0 ] || status=fails
    [ "$status" = "$1" ] || fail "status $status instead of $1 of: ${*:3}: $output"
    # shellcheck disable=SC2053 # a pattern
    [[ $output == $2 ]] || fail "not '$2' but '$output' of: ${*:3}"
}

# Processes of containers that are not dead yet, but for those that only wait to be buried.
ours() {
    local user
    user=$(as_user id -un)
    pgrep -u "$user" -r R,S,D,T -x vmfs-init || true
    pgrep -u "$user" -r R,S,D,T -f '^[^ ]*vmfs run ' || true
}
all_gone() { [ -z "$(ours)" ]; }

wait_until() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    fail "did not happen: $*"
}

# await_console TEXT SECONDS: until an init has said so in $work/console
await_console() {
    local i
    for ((i = 0; i < $2 * 10; i++)); do
        if grep -q -- "$1" "$work/console"; then return 0; fi
        sleep 0.1
    done
    fail "no '$1' on the console: $(cat "$work/console")"
}

# Starts `vmfs ARGUMENTS...` in the background: $started is its process id, to be waited for with ended().
# shellcheck disable=SC2016,SC2034 # the inner shell expands; for the scripts
start() {
    rm -f "$work/pid"
    as_user bash -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"' "$work/pid" "$VMFS" "$@" </dev/null &
    wait_until test -f "$work/pid"
    started=$(cat "$work/pid")
}

# ended STATUS: what start() started last ends with this exit status.
ended() {
    local status=0
    wait "$!" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status instead of $1"
}

# Makes a cgroup ($delegated) that is the ordinary user's to divide; what in_delegated() runs begins in it.
# Ordinary users take what they have been given.
delegate() {
    delegated=""
    if [ "$EUID" -ne 0 ]; then
        local own
        own=$(sed -n 's/^0:://p' /proc/self/cgroup)
        [ -w "$(cgroup_mount)$own/cgroup.procs" ] || skip 'needs a cgroup that this user may divide'
        return
    fi
    [ -n "$(cgroup_mount)" ] || skip 'needs cgroups of version 2'
    delegated=$(cgroup_mount)/vmfs-test.$$
    mkdir "$delegated"
    on_exit remove_delegated
    chown "$test_user" "$delegated" "$delegated"/cgroup.{procs,subtree_control,threads}
}

cgroup_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts; }

# Groups below $delegated, but for the leaf of those that start containers.
groups_left() { [ -z "$delegated" ] || find "$delegated" -mindepth 1 -type d ! -name vmfs-callers; }
no_groups_left() { [ -z "$(groups_left)" ]; }

remove_delegated() { [ ! -d "$delegated" ] || find "$delegated" -depth -type d -exec rmdir {} +; }

# in_delegated COMMAND...: replaces the calling (sub)shell, by a process of the ordinary user
in_delegated() {
    local group=$delegated
    # where a container was given controllers, nothing can live in the group itself any more
    [ ! -d "$group/vmfs-callers" ] || group+=/vmfs-callers
    [ -z "$group" ] || echo "$BASHPID" >"$group/cgroup.procs"
    as_user "$@"
}
