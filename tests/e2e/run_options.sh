#!/usr/bin/env bash
# Every option of `vmfs run` that says what the container is: user, environment, folders, rights.
# needs: debian
# alone with: containers
# timeout: 180
# shellcheck disable=SC2016 # the inner shells expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need setpriv

run() { vmfs run "$@"; }

# environment: set, taken from the caller, from files; the later wins
printf '# comment\n\nA=file\nB=b b\nCALLERS\nNONE\n' >"$work/env"
chmod 0644 "$work/env"
transcript 0 $'A=option\nB=b b\nCALLERS=1\nHOME=/elsewhere' as_user env CALLERS=1 "$VMFS" run --env-file "$work/env" -e A=option -e HOME=/elsewhere \
    "$image" sh -c 'env | grep -E "^(A|B|CALLERS|NONE|HOME)=" | sort'
transcript 0 $'LC_X=1\nLC_Y=2' as_user env LC_X=1 LC_Y=2 OTHER=3 "$VMFS" run -e 'LC_*' "$image" sh -c 'env | grep -E "^(LC_|OTHER)" | sort'
transcript 0 '' run -e NOT_SET_HERE "$image" sh -c 'env | grep NOT_SET; true'
transcript 125 'vmfs: -e =x: a name is wanted*' run -e =x "$image" true
transcript 125 'vmfs: -e A B=1: blanks in the name*' run -e 'A B=1' "$image" true
printf 'A =1\n' >"$work/bad-env"
transcript 125 'vmfs: --env-file: not a variable: A =1' run --env-file "$work/bad-env" "$image" true
transcript 125 "vmfs: --env-file $work/none: No such file*" run --env-file "$work/none" "$image" true

# user and group: by the image's own files
transcript 0 $'uid=1(daemon) gid=1(daemon) groups=1(daemon)\n/usr/sbin' run -u daemon "$image" sh -c 'id; echo $HOME'
transcript 0 'uid=1(daemon) gid=50(staff) groups=50(staff)' run -u daemon:staff "$image" id
transcript 0 'uid=1234 gid=99 groups=99' run -u 1234:99 "$image" id
transcript 0 '*groups=0(root),4(adm),27(sudo)' run --overlay "$work/groups" "$image" \
    sh -c 'sed -i "s/^adm:.*/adm:x:4:root/; s/^sudo:.*/sudo:x:27:x,root/" /etc/group; su -c id'
transcript 0 '*groups=0(root),4(adm),27(sudo)' run --overlay "$work/groups" "$image" id
transcript 125 "vmfs: no user 'nobody-here' in the image's /etc/passwd" run -u nobody-here "$image" true
transcript 125 "vmfs: no group 'none' in the image's /etc/group" run -u daemon:none "$image" true
transcript 125 'vmfs: user 70000:0: *the container has no such id' run -u 70000 "$image" true
transcript fails '*Permission denied' run -u daemon "$image" cat /etc/shadow

# place and name
transcript 0 /usr/share run -w /usr/share "$image" pwd
transcript 126 'vmfs: working directory /none: No such file*' run -w /none "$image" true
transcript 125 'vmfs: --workdir none: an absolute path*' run -w none "$image" true
transcript 0 $'web.example\nweb.example\n127.0.1.1*web.example' run --hostname web.example "$image" sh -c 'hostname; cat /etc/hostname; grep web /etc/hosts'
transcript 0 second run --hostname first --hostname second "$image" hostname
transcript 125 'vmfs: --hostname a b: *' run --hostname 'a b' "$image" true
transcript 0 'a b' run --entrypoint '' "$image" echo a b
transcript 0 'a b c' run --entrypoint echo "$image" a b c
transcript 0 'x y' run --entrypoint '["echo", "x"]' "$image" y
transcript 125 'vmfs: --entrypoint ?1?: *' run --entrypoint '[1]' "$image" y
transcript 0 'root@debian*' run --hostname debian -i "$image" -- sh -c 'echo root@$(hostname)'

# PID 1: our init, or the command itself
transcript 0 'vmfs-init' run "$image" cat /proc/1/comm
transcript 0 'cat' run --init=false "$image" cat /proc/1/comm
transcript 5 1 run --init=false "$image" sh -c 'echo $$; exit 5'
transcript 0 '' run --rm "$image" true

# folders: shared, read-only, files, mount points that the image lacks, one in another
mkdir -p "$work/shared/sub" "$work/inner"
echo outside >"$work/shared/file"
echo inner >"$work/inner/file"
[ "$EUID" -ne 0 ] || chown -R "$test_user" "$work"
transcript 0 outside run -v "$work/shared:/data" "$image" cat /data/file
transcript 0 outside run -v "$work/shared/file:/new/place/file:ro" "$image" cat /new/place/file
transcript 0 $'inner\noutside\nsub' run -v "$work/inner:/data/sub" -v "$work/shared:/data" "$image" sh -c 'cat /data/sub/file; cat /data/file; cd /data; ls -d sub'
transcript 0 '' run -v "$work/shared:/data:rw,z" "$image" sh -c 'echo written >/data/new; chown 0:0 /data/new'
[ "$(stat -c %U "$work/shared/new")" = "$(as_user id -un)" ] || fail 'root inside is the caller outside'
transcript fails '*Read-only file system' run -v "$work/shared:/data:ro" "$image" touch /data/x
transcript fails '*' run -v "$work/shared:/data:ro" "$image" mount -o remount,rw /data
(cd "$work" && transcript 0 outside run -v ./shared:/data "$image" cat /data/file)
transcript 125 "vmfs: -v $work/none: No such file*" run -v "$work/none:/data" "$image" true
transcript 125 'vmfs: -v name:/data: a path is wanted*' run -v name:/data "$image" true
transcript 125 'vmfs: -v /tmp: SRC:DST*' run -v /tmp "$image" true
transcript 125 'vmfs: -v /tmp:/x:ro,rw: ro and rw exclude each other' run -v /tmp:/x:ro,rw "$image" true
transcript 125 'vmfs: -v /tmp:data: data is no absolute path*' run -v /tmp:data "$image" true
transcript 125 "vmfs: -v /tmp:/proc/x: /proc/x is the container's own" run -v /tmp:/proc/x "$image" true
transcript 125 'vmfs: -v /tmp:/x:odd: unknown option odd*' run -v /tmp:/x:odd "$image" true
transcript 125 'vmfs: /x is mounted on twice' run -v /tmp:/x --tmpfs /x/ "$image" true
# a link in the image leads no further than the image
transcript 0 '' run --overlay "$work/links" "$image" ln -s "$work/shared" /link
transcript 125 'vmfs: mount on /link: No such file*' run --overlay "$work/links" -v "$work/inner:/link" "$image" true
[ "$(cat "$work/shared/file")" = outside ] || fail 'mounted through a link'
transcript 0 '/mem *tmpfs*noexec*size=1024k*' run --tmpfs /mem:size=1m "$image" findmnt -no TARGET,FSTYPE,OPTIONS /mem
transcript 0 $'700\nran' run --tmpfs /mem:mode=0700,exec "$image" sh -c 'stat -c %a /mem; printf "#!/bin/sh\necho ran\n" >/mem/x; chmod +x /mem/x; /mem/x'
transcript 125 'vmfs: --tmpfs /mem:odd: unknown option odd' run --tmpfs /mem:odd "$image" true
transcript 0 '' run --read-only -v "$work/shared:/data" --tmpfs /mem "$image" touch /data/x /mem/x

# rights
caps='grep -E "^Cap(Eff|Bnd|Amb)" /proc/self/status | tr -d "\t\n"'
transcript 0 'CapEff:00000000800405fbCapBnd:00000000800405fbCapAmb:0000000000000000' run "$image" sh -c "$caps"
transcript 0 'CapEff:0000000000000000CapBnd:00000000800405fbCapAmb:0000000000000000' run -u daemon "$image" sh -c "$caps"
transcript 0 'CapEff:0000000000000000CapBnd:0000000000000000*' run --cap-drop ALL "$image" sh -c "$caps"
transcript 0 'CapEff:0000000000002000CapBnd:0000000000002000*' run --cap-drop all --cap-add CAP_NET_RAW "$image" sh -c "$caps"
transcript 0 'CapEff:00000000800405faCapBnd:00000000800405fa*' run --cap-drop chown "$image" sh -c "$caps"
transcript 0 'CapEff:0000000000002000CapBnd:00000000800425fbCapAmb:0000000000002000' run -u daemon --cap-add net_raw "$image" sh -c "$caps"
transcript 125 'vmfs: --cap-add nonesuch: no such capability*' run --cap-add nonesuch "$image" true
transcript 125 'vmfs: --cap-add and --cap-drop both*' run --cap-add chown --cap-drop chown "$image" true
transcript 0 '' run --cap-add SYS_ADMIN "$image" mount -t tmpfs none /mnt
transcript fails '*' run --cap-add ALL "$image" sh -c 'echo 1 >/proc/sys/vm/drop_caches'
transcript fails '*' run --cap-add ALL "$image" sh -c 'umount /proc/sys; echo 1 >/proc/sys/vm/drop_caches'
transcript fails '*' run --cap-add ALL "$image" mount -t ext4 /dev/null /mnt
transcript fails '*' run --cap-add ALL "$image" ls /proc/1/root/
transcript fails '*' run --cap-add ALL --security-opt seccomp=unconfined "$image" sh -c 'date -s @0'
transcript 0 'NoNewPrivs: 1' run --security-opt no-new-privileges "$image" sh -c 'grep NoNewPrivs /proc/self/status | tr "\t" " "'
transcript fails '*' run --security-opt no-new-privileges:true -u daemon "$image" su -c true
transcript 0 'Seccomp: 0' run --security-opt seccomp=unconfined "$image" sh -c 'grep Seccomp: /proc/self/status | tr "\t" " "'
transcript fails '' run --security-opt unmask=ALL "$image" grep -E ' /proc/' /proc/mounts
transcript 125 'vmfs: --security-opt odd: known are*' run --security-opt odd "$image" true
if [ "$EUID" -eq 0 ]; then
    # as root, owners of a shared folder show as they are, and root inside is root there
    transcript 0 $'root\ndaemon' "$VMFS" run -v "$scratch:/data" "$image" sh -c 'touch /data/new; chown daemon /data/new; stat -c %U /data /data/new'
    [ "$(stat -c %U "$scratch/new")" = daemon ] || fail "the owner is $(stat -c %U "$scratch/new")"
fi
wait_until all_gone
