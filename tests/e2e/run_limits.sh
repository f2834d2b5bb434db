#!/usr/bin/env bash
# Limits on what a container uses up, and what is said where the machine gives none, or no cgroup for an init.
# needs: debian boot
# alone with: containers
# timeout: 120
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need newuidmap pgrep mke2fs
boot_image=$VMFS_FIXTURES/boot/boot.qcow2

transcript 125 'vmfs: --memory 1x: a number of bytes is wanted*' vmfs run -m 1x "$image" true
transcript 125 'vmfs: --cpus many: *' vmfs run --cpus many "$image" true
transcript 125 'vmfs: --pids-limit 1k: *' vmfs run --pids-limit 1k "$image" true
transcript 0 '' vmfs run -m 0 --cpus 0 --pids-limit -1 "$image" true

# what an init cannot be
transcript 125 'vmfs: --boot: an init runs as root*' vmfs run --boot -u daemon "$image"
transcript 125 'vmfs: --boot starts the image?s init*' vmfs run --boot --entrypoint sh "$image"
truncate -s 2M "$work/empty.img"
mke2fs -q -F "$work/empty.img"
transcript 125 'vmfs: --boot: the image has no init*' vmfs run --boot "$work/empty.img"

[ "$EUID" -eq 0 ] || exit 0 # what follows needs cgroups that this user may not divide, and some that it may
delegate

# in a group that is not ours: what to do is said, and nothing else happens
for option in '-m 64m' '--cpus 1' '--pids-limit 10'; do
    # shellcheck disable=SC2086 # words
    transcript 125 'vmfs: the cgroup * is not ours to divide; start it below a cgroup that is yours, as `systemd-run --user*' \
        as_user env PATH="$PATH" "$VMFS" run $option "$image" true
done
transcript 125 'vmfs: --boot: /sbin/init needs a cgroup of its own, but the cgroup * is not ours to divide; *' vmfs run --boot "$boot_image"

# in a group that is: every controller there is goes down to the guest, whoever lives in the group gives way
read -r -a available <"$(cgroup_mount)/cgroup.controllers" || true
for controller in "${available[@]}"; do
    grep -qw "$controller" "$(cgroup_mount)/cgroup.subtree_control" && continue
    echo "+$controller" >"$(cgroup_mount)/cgroup.subtree_control" || continue
    on_exit eval "echo -$controller >'$(cgroup_mount)/cgroup.subtree_control'"
done
on_exit remove_delegated # before that
controllers=$(cat "$delegated/cgroup.controllers")
inside() {
    cat "$delegated"/vmfs-[0-9]*/"$1"
}
is_inside() { [ "$(inside "$1" 2>&1)" = "$2" ]; }

(in_delegated "$VMFS" run --boot --network none "$boot_image") </dev/null >"$work/console" 2>&1 &
wait_until is_inside guest/cgroup.controllers "$controllers"
[ -z "$controllers" ] || [ -z "$(cat "$delegated/cgroup.procs")" ] || fail 'processes in a group that has controllers'
wait_until grep -q Welcome "$work/console"
kill -KILL "$(pgrep -u "$test_user" -o -f 'vmfs run --boot')"
wait "$!" || true
wait_until all_gone
wait_until no_groups_left

# limit OPTION VALUE CONTROLLER FILE CONTENT: the limit is there, or it is said why not
limit() {
    if grep -qw "$3" <<<"$controllers"; then
        (in_delegated "$VMFS" run --network none "$1" "$2" "$image" sleep 60) &
        wait_until is_inside "$4" "$5"
        [ "$(wc -l <"$(echo "$delegated"/vmfs-[0-9]*/guest/cgroup.procs)")" -eq 2 ] || fail "$1: not in the group"
        transcript 0 0::/ as_test in_delegated "$VMFS" exec "$(vmfs ps -q)" sed -n '/^0::/p' /proc/self/cgroup
        transcript 125 "vmfs: the container's cgroup: *its limits hold for commands*" vmfs exec "$(vmfs ps -q)" true
        kill -TERM "$(pgrep -u "$test_user" -o -f "vmfs run --network none $1")"
        wait "$!" || true
    else
        transcript 125 "vmfs: $1: the cgroup $delegated has no $3 controller to give (it has ${controllers:-none}); *" \
            as_test in_delegated "$VMFS" run "$1" "$2" "$image" true
    fi
    wait_until all_gone
    wait_until no_groups_left
}
as_test() { ("$@"); }
limit --memory 64m memory memory.max 67108864
limit --cpus 0.5 cpu cpu.max '50000 100000'
limit --pids-limit 20 pids pids.max 20

# systemd gives out groups: systemd-run(1) is asked, as its manual has it, and what it executes finds itself in one
rm "$work/console"
mkdir "$scratch/bin" "$delegated/session" "$delegated/scope"
chown "$test_user" "$delegated/scope" "$delegated/scope"/cgroup.{procs,subtree_control,threads}
cat >"$scratch/bin/systemd-run" <<END
#!/bin/bash
printf '%s\\n' "\$*" >>'$work/asked'
while [ "\$1" != -- ]; do shift; done
shift
echo \$\$ >'$delegated/scope/cgroup.procs'
exec "\$@"
END
chmod 0755 "$scratch/bin/systemd-run"
(
    echo "$BASHPID" >"$delegated/session/cgroup.procs"
    as_user env PATH="$scratch/bin:$PATH" "$VMFS" run --boot --stop-timeout 60 --network none "$boot_image" </dev/null >"$work/console" 2>&1
) &
wait_until grep -qs Welcome "$work/console"
[ "$(find "$delegated/scope" -name 'vmfs-[0-9]*' | wc -l)" -eq 1 ] || fail 'no group in the scope'
kill -KILL "$(pgrep -u "$test_user" -o -f 'vmfs run --boot')"
wait "$!" || true
wait_until all_gone
[ "$(sed -n 1p "$work/asked")" = '--scope --quiet --property=Delegate=yes --user -- true' ] || fail "asked: $(cat "$work/asked")"
[ "$(wc -l <"$work/asked")" -eq 2 ] || fail "asked: $(cat "$work/asked")"
grep -q -- "--user -- $VMFS run --boot --stop-timeout 60 --network none $boot_image" "$work/asked" || fail "asked: $(cat "$work/asked")"
