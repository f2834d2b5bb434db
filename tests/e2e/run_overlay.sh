#!/usr/bin/env bash
# Changes that the kernel's overlayfs refuses to take: fuse-overlayfs does it, as far as it is installed.
# needs: debian
# alone with: containers
# timeout: 180
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need fuse-overlayfs fuse2fs newuidmap pgrep mke2fs

# A writable folder that FUSE serves, with any owner of files: no upper layer for the kernel.
truncate -s 200M "$work/disk.img"
mke2fs -q -F -E root_owner="$(as_user id -u):$(as_user id -g)" "$work/disk.img"
mkdir "$work/fuse"
[ "$EUID" -ne 0 ] || chown -R "$test_user" "$work"
as_user fuse2fs -o rw,fakeroot "$work/disk.img" "$work/fuse" 2>"$scratch/fuse2fs.log" || fail "fuse2fs: $(cat "$scratch/fuse2fs.log")"
on_exit as_user fusermount3 -u -z "$work/fuse"
overlay=$work/fuse/changes
run() { vmfs run --network none "$@"; }
kept() { run --overlay "$overlay" "$image" "$@" 2>/dev/null; }
server() { pgrep -u "$(as_user id -u)" -r R,S,D,T -x fuse-overlayfs || true; }
gone() { [ -z "$(server)" ]; }

# said once, with the reason; changes are kept and found again
transcript 0 "vmfs: warning: --overlay $overlay: overlayfs: Invalid argument: fuse-overlayfs does it*"$'\n''new' run --overlay "$overlay" "$image" \
    sh -c 'echo new >/etc/new; rm -r /etc/skel; chown daemon /etc/new; mv /etc/motd /etc/motd2; cat /etc/new'
wait_until gone
[ "$(kept sh -c 'cat /etc/new; stat -c %U /etc/new; ls -d /etc/skel /etc/motd2 2>/dev/null')" = $'new\ndaemon\n/etc/motd2' ] ||
    fail "not kept: $(kept sh -c 'cat /etc/new; stat -c %U /etc/new; ls -d /etc/skel /etc/motd2')"
kept perl -e 'for (1..200) { open F, ">/var/tmp/$_" or die; print F "$_\n" x 1000 }'
[ "$(kept sh -c 'cat /var/tmp/* | wc -l')" -eq 200000 ] || fail 'lost'

# setuid programs work, modes count, nothing of the machine is in sight
[ "$(kept sh -c 'cp /bin/id /id && chmod 4755 /id && setpriv --reuid 5 --regid 5 --clear-groups /id -u')" = 0 ] || fail 'setuid'
transcript fails '*Permission denied' run --overlay "$overlay" -u daemon "$image" cat /etc/shadow
seen=$(kept sh -c 'cat /proc/[0-9]*/comm | grep -c fuse-overlay; grep -c -e /dev/fuse -e "$1" /proc/self/mountinfo' - "$work") || true
[ "$seen" = $'0\n0' ] || fail "it is in sight: $seen"

# what it may do while it runs: change the folder and nothing else, in a mount namespace of its own
start run --network none --overlay "$overlay" "$image" sh -c 'echo up >&2; sleep 60' 2>"$scratch/up"
wait_until grep -q up "$scratch/up"
overlay_server=$(server)
[ "$(awk '$1 == "CapBnd:" || $1 == "CapEff:" { print $2 }' "/proc/$overlay_server/status" | sort -u)" = 000000008800001f ] ||
    fail "rights: $(grep Cap "/proc/$overlay_server/status")"
grep -q '^NoNewPrivs:.1' "/proc/$overlay_server/status" || fail 'it may get rights'
[ "$(awk '$4 ~ /^rw/ { print $2 }' <(awk '{ print $3, $5, $1, $6 }' "/proc/$overlay_server/mountinfo") | sort)" = $'/tmp\n/tmp/changes' ] ||
    fail "may write: $(cat "/proc/$overlay_server/mountinfo")"
for fd in "/proc/$overlay_server/fd"/*; do
    case $(readlink "$fd") in */null | */fuse | / | */upper | */work | /tmp/* | /memfd:* | pipe:*) ;; *) fail "holds $(readlink "$fd")" ;; esac
done
kill "$started"
ended 143
wait_until gone

# it dies: so does the container; the launcher dies: so does it
for victim in server launcher; do
    start run --network none --overlay "$overlay" "$image" sh -c 'echo up >&2; sleep 60' 2>"$scratch/up"
    wait_until grep -q up "$scratch/up"
    if [ "$victim" = server ]; then
        kill -KILL "$(server)"
        ended 125
    else
        kill -KILL "$started"
        ended 137
    fi
    wait_until all_gone
    wait_until gone
done

# not installed, or not able to: what failed, and what to do
mkdir "$scratch/bin"
for tool in newuidmap newgidmap; do ln -s "$(command -v "$tool")" "$scratch/bin/$tool"; done
transcript 125 "vmfs: --overlay $overlay: overlayfs: Invalid argument, and fuse-overlayfs is not installed: install it (Debian: fuse-overlayfs); *ext4*" \
    as_user env PATH="$scratch/bin" "$VMFS" run --network none --overlay "$overlay" "$image" true
# not in /tmp, which is hidden by then
bin=$(mktemp -d /var/tmp/vmfs-test.XXXXXX)
on_exit rm -r "$bin"
printf '#!/bin/sh\necho "cannot do it" >&2\nexit 1\n' >"$bin/fuse-overlayfs"
chmod 0755 "$bin" "$bin/fuse-overlayfs"
transcript 125 '*vmfs: fuse-overlayfs: cannot do it' \
    as_user env PATH="$scratch/bin:$bin" "$VMFS" run --network none --overlay "$overlay" "$image" true
wait_until all_gone
