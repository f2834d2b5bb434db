#!/usr/bin/env bash
# What a container must not be able to do: each line here is an attempt that has to fail.
# needs: debian
# alone with: containers
# timeout: 120
# shellcheck disable=SC2016,SC2094 # the inner shells expand; one file on several streams is the point
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need unshare script

# secret files, one of them the caller's own
echo secret-of-the-machine >"$work/secret"
chmod 0666 "$work/secret"
[ "$EUID" -ne 0 ] || chown "$test_user" "$work/secret"

# no file of the machine, by whatever way: its path, the parents of the root, any link of any process
transcript fails '*No such file*' in_container cat "$work/secret"
transcript fails '*No such file*' in_container cat "/../../..$work/secret"
transcript fails '' in_container sh -c 'grep -rs secret-of-the-machine /proc/[0-9]*/root/tmp /proc/[0-9]*/cwd/tmp'
transcript 0 '' in_container sh -c 'for fd in /proc/[0-9]*/fd/*; do case $(readlink $fd) in /dev/null|pipe:*|/proc/*|"") ;; *) ls -l $fd ;; esac; done'
transcript fails '' in_container sh -c 'ls -l /proc/1/exe /proc/1/fd/ /proc/1/environ /proc/1/mem /proc/1/root /proc/1/cwd 2>/dev/null | grep " -> "'
transcript fails '*Permission denied*' in_container cat /proc/1/environ
transcript 0 'vmfs-init' in_container sh -c 'tr "\0" " " </proc/1/cmdline | tr -d " "'

# no descriptor of the machine, whatever the caller has open; neither to read nor to write nor to climb out of
exec 7<"$work/secret" 8<"$work" 9>>"$work/secret"
transcript 0 $'0\n1\n2\n3' in_container ls /proc/self/fd
exec 7<&- 8<&- 9>&-
status=0
vmfs run "$image" sh -c 'for i in 0 1 2; do cat <&$i; ls /proc/self/fd/$i/..; echo x >>/proc/self/fd/$i; done' \
    <"$work/secret" >>"$work/secret" 2>"$work/errors" || status=$?
[ "$(head -n 1 "$work/secret")" = secret-of-the-machine ] || fail 'the file behind standard output was changed'
grep -q secret-of-the-machine "$work/errors" && fail 'the file behind a stream was read'
[ "$(vmfs run -i "$image" sh -c 'ls /proc/self/fd/0/ 2>/dev/null' <"$work")" = '' ] || fail 'a directory came in'
# not a terminal of the machine, into which one could type
on_terminal="$(declare -f as_user vmfs in_container); $(declare -p VMFS image test_user)
    in_container tty; in_container sh -c 'echo x </dev/tty'"
transcript 2 '*not a tty*/dev/tty: No such device*' env SHELL="$BASH" script -qec "$on_terminal" /dev/null

# not the program of the machine, even where the caller may change it: what runs of it is a sealed copy
as_user cp "$VMFS" "$work/vmfs"
sum=$(sha256sum <"$work/vmfs")
start_copy() { as_user "$work/vmfs" run "$image" sleep 60 & }
start_copy </dev/null
launcher() { pgrep -u "$(as_user id -u)" -f "^$work/vmfs run "; }
wait_until launcher >/dev/null
wait_until pgrep -u "$(as_user id -u)" -x vmfs-init >/dev/null
for process in $(launcher); do
    case $(readlink "/proc/$process/exe") in /memfd:vmfs* | '') ;; *) fail "runs $(readlink "/proc/$process/exe")" ;; esac
done
kill "$(launcher | head -n 1)"
wait_until all_gone
[ "$(sha256sum <"$work/vmfs")" = "$sum" ] || fail 'the program was changed'

# nothing of the environment but TERM
export SECRET_OF_CALLER=1
transcript fails '' in_container sh -c 'env | grep -v -E "^(HOME=/root|PATH=/usr/local/sbin:.*|container=vmfs|TERM=.*|PWD=/)$"'
unset SECRET_OF_CALLER

# no process of the machine: neither seen nor signalled
transcript fails '' in_container sh -c 'grep -l -s -a -e systemd -e bash /proc/[0-9]*/comm'
transcript 0 '' in_container sh -c 'kill -KILL 1; kill -STOP 1; kill -SEGV 1; true'
transcript fails '*No such process*' in_container sh -c 'kill -0 '$$

# no mount of the machine, and none made or undone without the right to
transcript fails '' in_container sh -c 'grep -v -E " (fuse|overlay|proc|sysfs|tmpfs|devpts|mqueue|cgroup2|devtmpfs) " /proc/mounts'
transcript fails '' in_container grep -F -e "$image" -e "$work" /proc/self/mountinfo
transcript fails '*' in_container mount -t tmpfs none /mnt
transcript fails '*' in_container umount /proc/sys
transcript fails '*' in_container mount -o remount,rw /sys
transcript fails '*' in_container chroot /proc/1/root /bin/true # PID 1 cannot be looked into
transcript fails '*Operation not permitted*' in_container mknod /dev/sda b 8 0
transcript fails '*' in_container sh -c 'nsenter -t 1 -m true 2>&1'

# the kernel's settings are read-only, its secrets covered
for path in /proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/irq/0/smp_affinity; do
    transcript fails '*' in_container sh -c "echo 1 >$path"
done
transcript 0 '' in_container sh -c 'cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | head -c 10; find /sys/firmware /proc/acpi -mindepth 1 2>/dev/null; true'
transcript fails '*' in_container sh -c 'echo 1 >/sys/kernel/uevent_seqnum'
transcript fails '*' in_container hostname other

# capabilities: the default ones, inside only, and no way to more
transcript 0 $'CapBnd: 00000000800405fb\nCapEff: 00000000800405fb\nSeccomp: 2' in_container \
    sh -c 'grep -E "^(CapEff|CapBnd|Seccomp):" /proc/self/status | sort | tr "\t" " "'
transcript fails '*' in_container sh -c 'unshare --user --map-root-user true && unshare --user --map-root-user nsenter -t 1 --mount true'
# full rights in a namespace of one's own do not reach what belongs to the container
transcript fails '*' in_container unshare --user --map-root-user --mount umount /proc/sys
transcript fails '*' in_container unshare --user --map-root-user --mount sh -c 'echo 1 >/proc/sys/kernel/hostname'

# owners: who is nobody in here stays out of reach
transcript fails '*' in_container chown 0:0 /proc/version
transcript fails '*Invalid argument*' in_container chown 4000000000 /tmp

# the network is the container's own
transcript 0 $'lo' vmfs run --network none "$image" ls /sys/class/net
wait_until all_gone
