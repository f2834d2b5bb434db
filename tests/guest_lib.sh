# shellcheck shell=bash
# shellcheck disable=SC2154 # what lib.sh sets
# What the fixtures and tests of guests on many volumes share. Use: . "$VMFS_SOURCE/tests/guest_lib.sh", after lib.sh.
# A fixture's file "layout" has a line for each volume, "FILE OFFSET SIZE TYPE DIRECTORY" in the order in which they have
# to be mounted.

# volume_tree NAME: makes in the current folder what every volume has, something of its own in each place where another
# could shine through.
volume_tree() {
    printf 'volume %s\n' "$1" >"here-is-$1"
    mkdir -p tree/deep
    head -c 300000 /dev/urandom >tree/deep/random
    ln tree/deep/random "tree/hard link"
    ln -s ../here-is-"$1" tree/link
    setfattr -n user.volume -v "$1" tree
    setfacl -m u:1000:rx tree
}

# mount_guest FIXTURE DIRECTORY: the kernel shows all its volumes but /later; $places is where.
mount_guest() {
    local file offset size type place
    mkdir "$2"
    places=()
    while read -r file offset size type place; do
        [ "$place" != /later ] || continue
        mount -t "$type" -o "loop,offset=$offset,sizelimit=$size,$(unreplayed_options "$type")" "$1/$file" "$2$place"
        places+=("$place")
    done <"$1/layout"
    local number
    for number in "${!places[@]}"; do
        "$VMFS_TOOLS/manifest" dir --full "$2${places[number]}" >"$scratch/kernel.$((number + 1))"
    done
}

# same_usage KERNEL MOUNTED: statfs(2) in each place, and below it, is that of the volume there.
same_usage() {
    local place format='%n %s %S %b %f %a %c %d %l'
    for place in "${places[@]}"; do
        (cd "$1" && stat -f -c "$format" ".$place" ".$place/tree/deep") >"$scratch/usage.kernel"
        (cd "$2" && stat -f -c "$format" ".$place" ".$place/tree/deep") >"$scratch/usage.ours"
        diff "$scratch/usage.kernel" "$scratch/usage.ours" >"$scratch/diff" || fail "usage: $(cat "$scratch/diff")"
    done
}

# judge NAME OURS: compares with the kernel's trees, one for each place. Inode numbers are the file systems' own but for
# their top byte, which tells file systems apart; what the kernel lists of a directory that is mounted on is the number of
# what is below.
judge() {
    python3 - "$scratch" "$2" "${places[@]}" <<'PYTHON' || fail "$1: not what the kernel shows"
import sys
scratch, ours, places = sys.argv[1], sys.argv[2], sys.argv[3:]
PATH, TYPE, LINKS, INODE, BORN, DIRENT = 0, 1, 6, 7, 13, 16

def rows(name):
    for line in open(name):
        if not line.startswith(('#', 'path\t')):
            yield line.rstrip('\n').split('\t')

def join(place, path):
    whole = (place.strip('/') + '/' + ('' if path == '.' else path)).strip('/')
    return whole or '.'

mounted = {join(place, '.') for place in places}
expected = {}
for number, place in enumerate(places, 1):
    for row in rows(f'{scratch}/kernel.{number}'):
        row[PATH] = join(place, row[PATH])
        if row[PATH] in mounted and row[PATH] != join(place, '.'): continue
        expected[row[PATH]] = row
found = {row[PATH]: row for row in rows(ours)}
esp = {path for path in found if path.startswith('boot/efi')} | {'boot/efi'}
numbers, wrong = {}, 0
for path in sorted(expected.keys() | found.keys()):
    if path in esp: continue
    want, got = expected.get(path), found.get(path)
    if want is None or got is None:
        print(path, 'is only', 'ours' if want is None else "the kernel's"); wrong += 1; continue
    number = int(got[INODE])
    if got[TYPE] == 'd' or got[LINKS] == '1':
        if number in numbers: print(path, 'has the inode number of', numbers[number]); wrong += 1
        numbers[number] = path
    got[INODE] = str(number & (1 << 56) - 1)
    if path not in mounted:
        inode, kind = got[DIRENT].split(':')
        if int(inode) != number: print(path, 'is listed as', inode, 'but is', number); wrong += 1
        got[DIRENT] = f'{int(inode) & (1 << 56) - 1}:{kind}'
    else:
        got[DIRENT] = want[DIRENT]
    if 'fuse' in ours: got[BORN] = want[BORN]
    if got != want:
        print(path, *(f'{a!r} not {b!r}' for a, b in zip(got, want) if a != b)); wrong += 1
print(f'{len(expected)} files, {wrong} differ')
sys.exit(wrong != 0 or len(expected) < 60)
PYTHON
}
