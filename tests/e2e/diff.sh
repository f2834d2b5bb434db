#!/usr/bin/env bash
# timeout: 120
# `vmfs diff` says what a walk over the kernel's mounts of both images finds, and diff(1) there; it does not read what both
# have in common.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need mke2fs diff qemu-img python3 setfattr setfacl mount
cd "$scratch"

prepare() {
    cd "$scratch/mnt"
    mkdir -p same/deep gone/deep dir-to-file dir-to-link mode owner acl times
    head -c 40M /dev/urandom >same/large
    head -c 40M /dev/urandom >late-change
    seq 1000 >same/deep/file
    seq 500 >gone/deep/file
    touch gone/empty dir-to-file/inside dir-to-link/inside file-to-dir file-to-link
    seq 2000 >content
    seq 2000 >size
    seq 10 >mode/file
    seq 10 >owner/file
    seq 10 >acl/file
    seq 10 >times/file
    ln -s old target
    ln -s same same-link
    mknod device c 1 3
    mknod same-device b 8 1
    mkfifo fifo-to-socket
    truncate -s 8M holes
    ln content content-hard-link
    touch 'name with blanks' $'name with\ttab' $'\xff\xfe'
    setfattr -n user.kept -v 1 acl/file
    setfattr -n user.gone -v 1 acl/file
    setfattr -n user.other -v 1 acl/file
    setfacl -m u:1000:rw mode
    cd "$scratch"
}

change() {
    cd "$scratch/mnt"
    rm -r gone dir-to-file dir-to-link file-to-dir file-to-link fifo-to-socket 'name with blanks' $'\xff\xfe'
    mkdir -p new/deep file-to-dir
    touch new/deep/file file-to-dir/inside dir-to-file $'new\nline'
    ln -s a dir-to-link
    ln -s a file-to-link
    printf 'X' | dd of=content bs=1 seek=5000 conv=notrunc status=none
    printf 'X' | dd of=late-change bs=1 seek=$((30 << 20)) conv=notrunc status=none
    printf 'X' | dd of=holes bs=1 seek=$((5 << 20)) conv=notrunc status=none
    echo more >>size
    chmod 4711 mode/file
    chown 5:6 owner/file
    chown 0:7 owner
    ln -sfn new target
    rm device
    mknod device c 1 5
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("fifo-to-socket")'
    touch -d '2001-01-01 01:01:01.5' times/file
    setfattr -n user.other -v 2 acl/file
    setfattr -n user.new -v 1 acl/file
    setfattr -x user.gone acl/file
    setfacl -m u:1000:r mode
    cd "$scratch"
}

truncate -s 256M a.img
mke2fs -q -t ext4 a.img
with_loop_mount a.img ext4 rw "$scratch/mnt" prepare
cp --sparse=always a.img b.img
with_loop_mount b.img ext4 rw "$scratch/mnt" change

# status EXPECTED ARGUMENT...: runs diff, its output is in the file "said"
status() {
    local status=0
    "$VMFS" diff "${@:2}" >said 2>messages || status=$?
    [ "$status" -eq "$1" ] || fail "diff ${*:2}: status $status, not $1: $(cat messages)"
}
# In lines of paths, whose own line feeds are as they are: \0 is between neither.
walk() {
    python3 - "$scratch/a" "$scratch/b" "$1" <<'EOF'
import filecmp, os, stat, sys
a, b, times = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), sys.argv[3] == 'times'
out = sys.stdout.buffer
WORDS = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'symlink', stat.S_IFIFO: 'fifo',
         stat.S_IFSOCK: 'socket', stat.S_IFBLK: 'block', stat.S_IFCHR: 'char'}

def line(letter, path, changes=()):
    out.write(letter + b' ' + path + (b' (' + '; '.join(changes).encode() + b')' if changes else b'') + b'\n')

def tree(letter, top, path):
    line(letter, path)
    if stat.S_ISDIR(os.lstat(top + path).st_mode):
        for name in sorted(os.listdir(top + path)): tree(letter, top, os.path.join(path, name))

def attributes(path):
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}

def iso(ns):
    import datetime
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S') + '.%09dZ' % (ns % 10**9)

def compare(path):
    pa, pb = a + path, b + path
    sa, sb = os.lstat(pa), os.lstat(pb)
    ta, tb = stat.S_IFMT(sa.st_mode), stat.S_IFMT(sb.st_mode)
    if ta != tb:
        line(b'C', path, [f'type {WORDS[ta]} -> {WORDS[tb]}'])
        for letter, top, kind in ((b'D', a, ta), (b'A', b, tb)):
            if kind == stat.S_IFDIR:
                for name in sorted(os.listdir(top + path)): tree(letter, top, os.path.join(path, name))
        return
    changes = []
    if ta == stat.S_IFREG and not filecmp.cmp(pa, pb, shallow=False):
        changes.append('content' + (f', size {sa.st_size} -> {sb.st_size}' if sa.st_size != sb.st_size else ''))
    if ta == stat.S_IFLNK and os.readlink(pa) != os.readlink(pb):
        changes.append(f'target {os.fsdecode(os.readlink(pa))} -> {os.fsdecode(os.readlink(pb))}')
    if ta in (stat.S_IFBLK, stat.S_IFCHR) and sa.st_rdev != sb.st_rdev:
        changes.append('device %d:%d -> %d:%d' % (os.major(sa.st_rdev), os.minor(sa.st_rdev), os.major(sb.st_rdev), os.minor(sb.st_rdev)))
    if sa.st_mode != sb.st_mode: changes.append(f'mode {sa.st_mode & 0o7777:04o} -> {sb.st_mode & 0o7777:04o}')
    if (sa.st_uid, sa.st_gid) != (sb.st_uid, sb.st_gid):
        changes.append(f'owner {sa.st_uid}:{sa.st_gid} -> {sb.st_uid}:{sb.st_gid}')
    xa, xb = attributes(pa), attributes(pb)
    names = [('-' if n not in xb else '+' if n not in xa else '~') + n for n in sorted(xa.keys() | xb.keys()) if xa.get(n) != xb.get(n)]
    if names: changes.append('xattrs ' + ' '.join(names))
    if times and sa.st_mtime_ns != sb.st_mtime_ns: changes.append(f'modified {iso(sa.st_mtime_ns)} -> {iso(sb.st_mtime_ns)}')
    if changes: line(b'C', path, changes)
    if ta == stat.S_IFDIR:
        na, nb = set(os.listdir(pa)), set(os.listdir(pb))
        for name in sorted(na | nb):
            child = os.path.join(path, name)
            if name not in nb: tree(b'D', a, child)
            elif name not in na: tree(b'A', b, child)
            else: compare(child)

compare(b'/')
EOF
}
# What diff(1) sees of it: a line for each path that is on one side only, or whose type or contents differ.
coreutils_diff() {
    { LC_ALL=C diff -rq --no-dereference "$scratch/a" "$scratch/b" || true; } | sed -E -e "s#$scratch/##g" \
        -e "s#^Only in [ab](.*): (.*)#\\1/\\2#" -e "s#^(File|Files|Symbolic links) a(/.*) (is a .* while|and b/.* differ).*#\\2#" | sort
}
both() { with_loop_mount a.img ext4 ro,noload "$scratch/a" with_loop_mount b.img ext4 ro,noload "$scratch/b" "$@"; }
both walk none >expected
both walk times >expected.times
[ "$(wc -l <expected)" -ge 25 ] || fail "too little differs: $(cat expected)"

status 1 a.img b.img
cmp said expected || fail "$(diff -a expected said)"
status 1 --times a.img b.img
cmp said expected.times || fail "$(diff -a expected.times said)"
status 0 a.img a.img
! [ -s said ] || fail "an image differs from itself: $(cat said)"

# diff(1): paths of one side alone only at their top, devices not at all.
both coreutils_diff | grep -a -v -e '^/device' -e '^/new$' -e '^line' >theirs
status 1 a.img b.img
grep -a -E '^[AD] |\((type|content|target)' said | grep -a -v -e '^line' | sed -E -e 's/^. //' -e 's/ \((type|content|target)[ ;,)].*//' |
    grep -a -v -e '^/gone/.' -e '^/new' -e '/inside$' | sort >ours
grep -a -v -e '/inside$' theirs | sort | cmp - ours || fail "$(diff -a theirs ours)"

# A part of the tree, the other way round.
status 1 b.img a.img /mode
diff - said <<'EOF' || fail 'of /mode'
C /mode (mode 0755 -> 0775; xattrs ~system.posix_acl_access)
C /mode/file (mode 4711 -> 0644)
EOF

# JSON says the same.
status 1 --json a.img b.img
python3 - said expected <<'EOF'
import json, sys
listed, text = json.load(open(sys.argv[1])), open(sys.argv[2], errors='surrogateescape').read()
letters = {'added': 'A', 'removed': 'D', 'changed': 'C'}
assert len(listed) == sum(line[:2] in ('A ', 'D ', 'C ') for line in text.split('\n')), len(listed)
found = {entry['path']: entry for entry in listed}
for path, entry in found.items():
    if 'path_hex' not in entry: assert f"{letters[entry['change']]} {path}" in text, path
assert found['/acl/file']['what'] == ['xattrs']
assert found['/acl/file']['xattrs'] == [{'change': c, 'name': n} for c, n in (('removed', 'user.gone'), ('added', 'user.new'), ('changed', 'user.other'))]
assert found['/owner/file']['before']['uid'] == 0 and found['/owner/file']['after']['uid'] == 5
assert 'before' not in found['/new'] and 'after' not in found['/gone']
EOF

# Overlays of one file: what both have from there is not read. And a snapshot of the image itself.
qemu-img create -q -f qcow2 -b a.img -F raw before.qcow2
qemu-img create -q -f qcow2 -b b.img -F raw after.qcow2
qemu-img rebase -b a.img -F raw after.qcow2 # writes what differs
status 1 before.qcow2 after.qcow2
cmp said expected || fail "$(diff -a expected said)"
python3 - "$VMFS" before.qcow2 after.qcow2 <<'EOF'
import os, subprocess, sys
process = subprocess.Popen([sys.argv[1], 'diff', *sys.argv[2:]], stdout=subprocess.DEVNULL)
os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
with open(f'/proc/{process.pid}/io') as file:
    read = int(file.readline().split()[1])
process.wait()
if read > 24 << 20: sys.exit(f'{read} bytes were read to compare 80 MiB of which 1 MiB differs')
EOF
qemu-img convert -O qcow2 a.img both.qcow2
qemu-img snapshot -c old both.qcow2
qemu-img convert -n -O qcow2 b.img both.qcow2
status 1 --snapshot-a old both.qcow2 both.qcow2
cmp said expected || fail "$(diff -a expected said)"

status 2 a.img absent.img
grep -q '^vmfs: absent.img' messages || fail "$(cat messages)"
status 2 --snapshot-b none both.qcow2 both.qcow2
status 2 a.img b.img /absent
status 2 a.img
printf '%d differences are those of the kernel\n' "$(wc -l <expected)"
