#!/usr/bin/env bash
# A command in a container: what it prints, how it ends, what it reads, where its changes go.
# needs: debian
# alone with: containers
# timeout: 120
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need newuidmap sha256sum setpriv

before=$(sha256sum <"$image")

# exit statuses as podman's
transcript 0 '' in_container true
transcript 7 '' in_container sh -c 'exit 7'
transcript 137 '' in_container sh -c 'kill -KILL $$'
transcript 143 '' in_container sh -c 'kill -TERM $$'
transcript 127 'vmfs: nonesuch: no such command in the image' in_container nonesuch
transcript 127 'vmfs: /bin/nonesuch: no such command in the image' in_container /bin/nonesuch
transcript 126 'vmfs: /etc/passwd: Permission denied' in_container /etc/passwd
transcript 126 'vmfs: /etc: Permission denied' in_container /etc
transcript 125 'vmfs: *absent.img*No such file*' vmfs run "$scratch/absent.img" true
transcript 125 'vmfs: --overlay keeps changes and --read-only forbids them*' \
    vmfs run --read-only --overlay "$work/both" "$image" true
transcript 2 'vmfs: *IMAGE is required*' vmfs run
transcript 2 'vmfs: *--colour*' vmfs run --colour "$image" true

# words are the command's from the image on, with "--" or without
transcript 0 '-n --help -- -i' vmfs run "$image" printf '%s %s %s %s' -n --help -- -i
transcript 0 '-n -- x' vmfs run "$image" -- printf '%s %s %s' -n -- x
transcript 0 'uid=0(root)*' vmfs run "$image" id

# who and where
transcript 0 $'debian\n1\n/\n/root\n0022' in_container sh -c 'hostname; ls /proc/1 >/dev/null && echo 1; pwd; echo $HOME; umask'
transcript 0 $'1\n2' in_container sh -c 'ls /proc | grep "^[0-9]*$" | sort -n | head -n 2'
transcript 0 'uid=1(daemon)*' in_container setpriv --reuid daemon --regid daemon --init-groups id
transcript 0 'uid=1(daemon)*' in_container su -s /bin/sh -c id daemon # setuid(2) and setgroups(2) work
transcript 0 '127.0.0.1*' in_container grep localhost /etc/hosts
transcript 0 'debian*' in_container sh -c 'cat /etc/hostname; getent ahostsv4 "$(hostname)" >/dev/null'

# streams: none to read without -i, order kept where both lead to one place, a pipe that closes is noticed
[ "$(echo text | vmfs run "$image" cat)" = '' ] || fail 'read standard input without -i'
[ "$(echo text | vmfs run -i "$image" cat)" = text ] || fail '-i does not read'
head -c 5000000 /dev/urandom >"$work/random"
[ "$(vmfs run -i "$image" cat <"$work/random" | sha256sum)" = "$(sha256sum <"$work/random")" ] || fail '-i: other bytes'
transcript 0 $'1\n2\n3\n4' in_container sh -c 'echo 1; echo 2 >&2; echo 3; echo 4 >&2'
[ "$(in_container sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ] || fail 'streams mixed up'
[ "$(in_container yes | head -n 1)" = y ] || fail 'yes'
wait_until all_gone
transcript 1 'not a tty' in_container tty
in_container sh -c 'sleep 100 & echo left' >"$scratch/out"
[ "$(cat "$scratch/out")" = left ] || fail 'output lost'
all_gone || fail 'the container outlives its command'

vmfs run --network none -v "$work:/data" "$image" sh -c 'ls /proc/self/fd >/data/fds' <&- >&- 2>&- || fail 'closed streams'
[ "$(tr '\n' ' ' <"$work/fds")" = '0 1 2 3 ' ] || fail "closed streams: $(cat "$work/fds")"

# the usual devices and folders
transcript 0 '' in_container sh -c 'echo >/dev/null && head -c 10 /dev/zero >/dev/null && head -c 1 /dev/urandom >/dev/null'
transcript 0 '' in_container setpriv --reuid daemon --clear-groups sh -c 'echo >/dev/null; echo x >/tmp/x; echo x >/dev/shm/x'
transcript 0 $'/proc proc\n/sys sysfs\n/dev tmpfs\n/dev/pts devpts\n/dev/shm tmpfs\n/run tmpfs\n/tmp tmpfs' in_container \
    sh -c 'for d in proc sys dev dev/pts dev/shm run tmp; do findmnt -no TARGET,FSTYPE /$d | tr -s " "; done'

# setuid programs work: the default is not no_new_privs
transcript 0 '0' in_container sh -c 'cp /bin/id /id && chmod 4755 /id && setpriv --reuid 5 --regid 5 --clear-groups /id -u'

# changes go nowhere, or to --overlay, or are refused; the image stays as it is
rewrite='find /usr/share -type f -exec sh -c "for f; do echo changed >\$f; done" - {} + ; rm -rf /var/lib/dpkg; mkdir /var/lib/dpkg
    echo new >/etc/new; chown daemon /etc/new; mv /etc/skel /etc/skeleton; cat /etc/new; ls /etc/skeleton/.bashrc'
transcript 0 $'new\n/etc/skeleton/.bashrc' in_container sh -c "$rewrite"
transcript 2 '*No such file*' in_container ls /etc/new
transcript 0 $'new\n/etc/skeleton/.bashrc' vmfs run --overlay "$work/changes" "$image" sh -c "$rewrite"
transcript 0 'daemon new' vmfs run --overlay "$work/changes" "$image" sh -c 'stat -c %U /etc/new | tr "\n" " "; cat /etc/new; ls -A /var/lib/dpkg'
start run --overlay "$work/changes" "$image" sleep 60
# Only looked at: a lock of ours would be what the container meets.
wait_until grep -q ":$(stat -c %i "$work/changes") " /proc/locks
transcript 125 "vmfs: --overlay $work/changes: another container uses it" vmfs run --overlay "$work/changes" "$image" true
kill "$started"
wait_until all_gone
transcript 125 'vmfs: --overlay /nonesuch/x: No such file*' vmfs run --overlay /nonesuch/x "$image" true
truncate -s 1M "$work/zeros.img"
transcript 125 '*zeros.img*' vmfs run --overlay "$work/unused" "$work/zeros.img" true
[ ! -e "$work/unused" ] || fail '--overlay is made though there is nothing to run'
transcript 1 '*Read-only file system' vmfs run --read-only "$image" touch /etc/new
transcript 0 '' vmfs run --read-only "$image" touch /tmp/new /run/new /dev/shm/new
[ "$(sha256sum <"$image")" = "$before" ] || fail 'the image was written'

# without ranges of subordinate ids: root alone, said once
mkdir "$scratch/bin"
for tool in sh true; do ln -s "$(command -v "$tool")" "$scratch/bin/$tool"; done
transcript 0 $'vmfs: warning: only root exists in the container: *newuidmap*\n0 0\n1' \
    as_user env PATH="$scratch/bin" "$VMFS" run --network none "$image" sh -c 'stat -c "%u %g" /etc/shadow; wc -l </proc/self/uid_map'
# inside user namespaces of others, too small ones included
transcript 0 $'uid=0(root) gid=0(root) groups=0(root)\n0' as_user unshare --user --map-root-user \
    "$VMFS" run --network none "$image" sh -c 'id; stat -c %g /etc/shadow'
transcript 0 'uid=1(daemon)*' as_user unshare --user --map-root-user --map-auto "$VMFS" run --network none -u daemon "$image" id
transcript 125 'vmfs: user namespace: No space left*max_user_namespaces*' as_user unshare --user --map-root-user \
    sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' - "$VMFS" run --network none "$image" true
transcript 125 'vmfs: user namespace: newuidmap: *' as_user setpriv --no-new-privs "$VMFS" run --network none "$image" true
if [ "$EUID" -eq 0 ]; then
    # as root: root inside is nobody outside
    transcript 0 0 "$VMFS" run "$image" id -u
    "$VMFS" run "$image" sleep 60 &
    launcher=$!
    wait_until pgrep -x -P "$launcher" vmfs-init >/dev/null
    init=$(pgrep -x -P "$launcher" vmfs-init)
    [ "$(stat -c %u "/proc/$init/fd")" -eq 0 ] || fail 'the first process can be looked into'
    [ "$(awk '/^Uid/ { print $2 }' "/proc/$init/status")" -ge 65536 ] || fail 'root inside is root outside'
    kill "$launcher"
    wait "$launcher" && fail 'no status'
    transcript 0 'root kept' "$VMFS" run --overlay "$scratch/root-changes" "$image" sh -c 'echo kept >/k; stat -c %U /k | tr "\n" " "; cat /k'
    transcript 0 'kept' "$VMFS" run --overlay "$scratch/root-changes" "$image" cat /k
fi
wait_until all_gone
