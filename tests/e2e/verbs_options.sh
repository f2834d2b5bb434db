#!/usr/bin/env bash
# `vmfs ls`, `stat` and `find` print what the real programs print on the kernel's mount, for the options people combine, on
# a tree of what is awkward: sizes and times at every border, modes, devices, owners, links, names.
# timeout: 200
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mkfs.ext4 mkfs.xfs mount setfattr setfacl ls stat find python3
export LC_ALL=C.UTF-8 TZ=Europe/Berlin
mnt=$scratch/mnt compared=0

fill() (
    cd "$mnt"
    mkdir sizes times modes links owners names devices
    for size in 0 1 9 10 999 1000 1001 1023 1024 1025 9999 10137 10138 10188 10189 10240 10241 99999 102399 102400 1023999 \
        1024000 1047552 1047553 1048575 1048576 1048577 9961472 10433331 10485760 1073741823 1073741824 1073741825; do
        truncate -s "$size" "sizes/$size"
    done
    head -c 70000 /dev/zero >sizes/allocated
    # Half a year ago, to the second, is further away when it is looked at; what is not the same on both sides of an hour.
    local age
    for age in 0 1 3600 86430 15600000 15780000 15800000 31556952 1000000000; do touch -d "@$((now - age))" "times/ago-$age"; done
    touch -d "@$((now + 86400))" times/tomorrow
    touch -d '1970-01-01 00:00:00 UTC' times/epoch
    touch -d '1969-12-31 23:59:59.5 UTC' times/before-epoch
    touch -d '1938-04-24 22:13:20.987654321' times/old
    touch -d '2100-02-28 12:00:00.000000001' times/future
    touch -d '2025-03-30 01:59:59' times/summer
    touch -d '2025-10-26 02:30:00' times/winter
    touch -d '2001-02-03 04:05:06.789' "times/same-"{b,a,c}
    for mode in 0000 0001 0644 0755 1000 1777 2644 2755 4644 4755 6000 6111 7000 7777; do
        touch "modes/file-$mode" && chmod "$mode" "modes/file-$mode"
        mkdir "modes/directory-$mode" && chmod "$mode" "modes/directory-$mode"
    done
    setfacl -m u:5:rw modes/file-0644
    setfacl -d -m u:5:rx modes/directory-0755
    ln -s ../sizes links/directory
    ln -s directory links/chain
    ln -s ../sizes/1 links/file
    ln -s absent links/dangling
    ln -s "$(printf '%0200d' 1)" links/long
    ln -s loop links/loop
    ln -s /etc links/absolute
    touch links/many && for i in $(seq 120); do ln links/many "links/hard-$i"; done
    for id in 1 999 1000 65534 4294967294; do touch "owners/$id" && chown "$id:$id" "owners/$id"; done
    mkdir etc
    printf 'root:x:0:0::/:\ndaemon:x:1:1::/:\na-user-of-a-long-name:x:999:999::/:\n' >etc/passwd
    printf 'root:x:0:\ngroup-of-a-long-name:x:1000:\n' >etc/group
    mkfifo devices/fifo
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("devices/socket")'
    mknod devices/null c 1 3
    mknod devices/large b 259 262143
    local name
    for name in 'a b' ' leading' 'trailing ' "it's" "it's \"both\"" 'dollar$' 'back\slash' $'new\nline' $'tab\t' $'bell\a' \
        $'\001\002' $'\377\376' 'größe' '漢字' '-dash' '--' '#hash' '~tilde' 'a#b' '*' '?' '{}' '{' '!' 'x;y' '@at' "'" '"' \
        $'it\'s\nnew' $'quote\n\'' $'\303' '.hidden' '..two' 'A' 'a' 'B' '_' '%p'; do
        touch -- "names/$name"
    done
)

# the same of both; what is no error must be none for us
same() {
    local verb=$1 status=0 expected=0
    shift
    (cd "$mnt" && "$verb" "$@") >"$scratch/expected" 2>"$scratch/err" || expected=$?
    "$VMFS" "$verb" "$image" "$@" >"$scratch/got" 2>"$scratch/err" || status=$?
    [ $((expected != 0)) -eq "$status" ] || fail "$verb $*: status $status: $(head -n 3 "$scratch/err")"
    cmp -s "$scratch/expected" "$scratch/got" || {
        diff -a "$scratch/expected" "$scratch/got" | head -n 10 | cut -c 1-300
        fail "$(basename "$image"): $verb $*: differs"
    }
    compared=$((compared + 1))
}

# found WORD...: find's output, sorted: it prints in the order of the directories
found() {
    (cd "$mnt" && find "$@") 2>"$scratch/err" | sort >"$scratch/expected"
    "$VMFS" find "$image" "$@" 2>"$scratch/err" | sort >"$scratch/got"
    [ -s "$scratch/expected" ] || fail "find $*: finds nothing"
    cmp -s "$scratch/expected" "$scratch/got" || {
        diff -a "$scratch/expected" "$scratch/got" | head -n 10 | cut -c 1-300
        fail "$(basename "$image"): find $*: differs"
    }
    compared=$((compared + 1))
}

look() {
    local options directory format
    cd "$mnt"
    # Names are sorted by their bytes.
    export LC_COLLATE=C
    unset LC_ALL
    export LC_CTYPE=C.UTF-8
    for options in -l -lh -la -lA -lt -ltr -lS -lSr -lhS -lhSr -ln -lnh -li -lai -lR -R -1 -1a -a -A -r -i -S -t -tr -ld -d -nAtr; do
        for directory in . sizes times modes links owners names devices links/directory links/chain/ links/directory/.; do
            # ".." of the root is the kernel's mount point
            [[ $directory$options = .*a* ]] || same ls "$options" "$directory"
        done
        same ls "$options" links/[cdfhm]* sizes/1 times
        same ls "$options" sizes modes/directory-0000 links/file
    done
    same ls -l -a -h links/directory/ links/file links/dangling
    same ls sizes absent
    same ls -lR times links
    for options in -L ''; do
        # shellcheck disable=SC2086 # an option or none
        same stat $options -c '%n %a %A %b %B %f %F %g %G %h %i %N %o %s %t %T %u %U %w %W %x %X %y %Y %z %Z %.3Y %.0X %10.3Z %%' \
            sizes/* times/* modes/* links/[cdf]* owners/* devices/*
    done
    same stat -c '%N|%n' names/* links/*
    same stat -c '%-20n|%20n|%.2n|%08s|%-8s|%+5u|%#a|%010i|%5h|' names/a names/größe sizes/1024
    same stat -c '%t:%T %r %Hr %Lr %R' devices/*

    for format in '%p|%P|%f|%h|%d\n' '%s %b %k %n %i %m %#m %05m %M %y %Y\n' '%u %g %U %G %l\n' '[%10s][%-10s][%-8f][%.3f][%5y]\n' \
        '%T@ %C@ %T+ %TY-%Tm-%Td %TH:%TM:%TS %TT %TZ %Tz %Tj %Ta %Tb %TD %TF %Ts\n' '%t|%c\n' 'a\tb\\c\101\n' '%%\n'; do
        found . -printf "$format"
        found links sizes/1 ./modes/ -printf "$format"
    done
    found . -print -size +1M -printf '%s\n' -o -printf 'small\n'
    found sizes -size +1M
    found sizes -size -1M -o -size 10k
    found sizes -size 1024c -o -size 2 -o -size +3G -o -size -2k
    found . -type l
    found . -type l -printf '%p -> %l (%Y)\n'
    found . -newer times/ago-3600
    found times -mtime -1
    found times -mtime +180
    found times -mtime 0 -o -mtime 1
    found times ! -newer times/epoch
    found times -newermt 2024-01-01 ! -newermt '2026-01-01 00:00'
    found modes -perm 4755 -o -perm -2000 -o -perm /1000
    found modes -perm -u+s,g+s
    found owners -user daemon -o -user 65534 -o -group group-of-a-long-name
    found owners -uid +998 -gid -4000000000
    found names -name '*[[:space:]]*'
    found names -name '[!a-z]*' -print
    found names -iname 'A*'
    found . -path '*/links/*' -name 'hard-1*'
    found . -maxdepth 1 -type d ! -name lost+found
    found . -mindepth 2 -empty
    (cd "$mnt" && find names -print0 | sort -z) >"$scratch/expected"
    "$VMFS" find "$image" names -print0 | sort -z | cmp - "$scratch/expected" || fail 'find -print0'
    [ "$("$VMFS" find "$image" sizes links -name '1*' -print -quit | wc -l)" -eq 1 ] || fail 'find -quit'
    [ -z "$("$VMFS" find "$image" sizes links -quit)" ] || fail 'find -quit prints'
    cd /
}

now=$(date +%s)
for type in ext4 xfs; do
    image=$scratch/$type.img
    truncate -s 320M "$image"
    case $type in
    ext4) mkfs.ext4 -q "$image" ;;
    xfs) mkfs.xfs -q "$image" ;;
    esac
    with_loop_mount "$image" "$type" rw "$mnt" fill
    options=$(unreplayed_options "$type")
    mount -t "$type" -o "loop,$options" "$image" "$mnt"
    with_guest_accounts "$mnt" look
    umount "$mnt"
done

# What is not known is said to be so, with status 2.
refused() {
    local status=0
    "$VMFS" "${@:2}" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 2 ] || fail "status $status of ${*:2}"
    grep -qF -e "$1" "$scratch/err" || fail "no '$1' in: $(cat "$scratch/err")"
    [ ! -s "$scratch/out" ] || fail "${*:2} prints something"
}
refused --full-time ls --full-time "$image"
refused -F ls -F "$image"
refused -Z ls -lZ "$image"
refused --printf stat --printf '%n' "$image" /
refused -f stat -f "$image" /
refused "unknown predicate '-delete'" find "$image" / -delete
refused "unknown predicate '-exec'" find "$image" / -exec rm '{}' ';'
refused "no directive is '%F'" find "$image" / -printf '%F'
refused "no directive is '%Ti'" find "$image" / -printf '%Ti'
refused "no escape is '\\x'" find "$image" / -printf '\x'
refused "ends in '%'" find "$image" / -printf '%'
refused '-printf needs a word' find "$image" / -printf
refused -c hash -c "$image"
printf '%d outputs are those of the real programs\n' "$compared"
