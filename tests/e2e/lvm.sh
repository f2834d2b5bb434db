#!/usr/bin/env bash
# needs: lvm
# timeout: 120
# Logical volumes: each one's bytes against what LVM says of its extents and against other projects' images; which volume
# is shown; what is said of those that cannot be read.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/corpora.sh"
need sha256sum cmp qemu-img python3
fixtures=$VMFS_FIXTURES/lvm
first=$fixtures/first.img second=$fixtures/second.img
both=(--add "$second" "$first")

# shows VOLUME FILE OPTION...: the volume holds what the file does
shows() {
    "$VMFS_TOOLS/imgdump" --volume "$1" "${@:3}" 2>"$scratch/messages" | cmp - "$2" ||
        fail "$1 of ${*:3} is not $2: $(cat "$scratch/messages")"
}

for file in "$fixtures"/volumes/vg-one/*; do
    [[ $file == *.xml ]] || shows "vg-one/${file##*/}" "$file" "${both[@]}"
done
shows solo/system.1 "$fixtures/volumes/solo/system.1" "$first"

# In another image format, and given the other way round.
qemu-img convert -O qcow2 "$first" "$scratch/first.qcow2"
for name in root thin-snap old-snap; do
    shows "vg-one/$name" "$fixtures/volumes/vg-one/$name" --add "$scratch/first.qcow2" "$second"
done

# Nothing but data is copied: the map of a volume leads to the host file.
"$VMFS_TOOLS/imgdump" --map --volume vg-one/root "${both[@]}" >"$scratch/map"
! grep -q encoded "$scratch/map" || fail "a linear volume is copied: $(cat "$scratch/map")"

# Without the second disk only what needs it is refused, with the name of what is missing.
"$VMFS_TOOLS/imgdump" --volumes "$first" >"$scratch/volumes" 2>"$scratch/messages"
missing=$(blkid -p -s UUID -o value "$second")
for name in root str r0 r0m thin outer old-snap; do
    grep -q "^vg-one/$name [0-9]* LVM: the physical volume $missing of group vg-one is missing" "$scratch/volumes" ||
        fail "vg-one/$name: $(grep "^vg-one/$name " "$scratch/volumes")"
done
for name in alone old r1 mir; do shows "vg-one/$name" "$fixtures/volumes/vg-one/$name" "$first"; done
# and the leg of a mirror that is left is enough
for name in r1 mir stale; do shows "vg-one/$name" "$fixtures/volumes/vg-one/$name" "$second"; done

"$VMFS_TOOLS/imgdump" --volumes "${both[@]}" >"$scratch/volumes" 2>"$scratch/messages"
refused() {
    grep -q "^vg-one/$1 [0-9]* .*$2" "$scratch/volumes" || fail "vg-one/$1: $(cat "$scratch/volumes")"
}
refused r5 'volumes of type raid5_ls cannot be read'
refused thin-lost 'thin pool: has no device 9'
grep -q 'vg-one/stale: leg 1 is used, not 0: it failed' "$scratch/messages" || fail "$(cat "$scratch/messages")"
! grep -q '_rimage\|_tdata\|pool ' "$scratch/volumes" || fail "hidden volumes are shown: $(cat "$scratch/volumes")"

# A disk from before a change beside one from after it: the newest metadata counts.
cp --sparse=always "$second" "$scratch/newer.img"
python3 "$VMFS_SOURCE/tests/tools/lvm_fixture.py" rename "$scratch/newer.img" alone moved
shows vg-one/moved "$fixtures/volumes/vg-one/alone" --add "$scratch/newer.img" "$first"
# Damage in the first place of metadata leaves the second.
cp --sparse=always "$first" "$scratch/damaged.img"
printf 'X' | dd of="$scratch/damaged.img" bs=1 seek=$((20480 * 512 + 4096 + 200)) conv=notrunc status=none
shows vg-one/alone "$fixtures/volumes/vg-one/alone" "$scratch/damaged.img"
grep -q 'p2: LVM metadata area: checksum' "$scratch/messages" || fail "$(cat "$scratch/messages")"

# Which one is shown.
chosen() {
    local expected=$1
    shift
    "$VMFS" cat "$@" /etc/os-release >"$scratch/text" 2>"$scratch/messages" || fail "$*: $(cat "$scratch/messages")"
    grep -q "$expected" "$scratch/text" || fail "$*: $(cat "$scratch/text")"
}
chosen One "$first" # of the group solo, the only one with a system that can be read
chosen One -a "$second" "$first"
grep -q 'several operating systems: vg-one/root (One), solo/system.1 (One)' <("$VMFS" cat -a "$second" "$first" /etc/os-release 2>&1) ||
    fail "$(cat "$scratch/messages")"
for name in vg-one/root /dev/vg-one/root /dev/mapper/vg--one-root LABEL=root UUID=00000000-0000-0000-0000-000000000001; do
    chosen One -p "$name" -a "$second" "$first"
    ! [ -s "$scratch/messages" ] || [ "$(grep -c -v 'vg-one/stale: leg 1' "$scratch/messages")" -eq 0 ] || fail "$(cat "$scratch/messages")"
done
# says TEXT ARGUMENT...: the verb fails and says so
says() {
    ! "$VMFS" "${@:2}" >"$scratch/text" 2>&1 || fail "${*:2} is done"
    grep -q "$1" "$scratch/text" || fail "${*:2}: $(cat "$scratch/text")"
}
says "vg-one/root .*physical volume $missing of group vg-one is missing (give its image with --add)" ls -p vg-one/root "$first" /
says 'p2 (LVM2_member.*a physical volume of group vg-one, whose volumes are shown' ls -p p2 "$first" /
says 'type raid5_ls cannot be read' ls -p vg-one/r5 --add "$second" "$first" /

# The files in it are those of the same bytes in a file of their own.
for name in root thin-snap thin-ext old-snap; do
    "$VMFS" diff --times --add-a "$second" --partition-a "vg-one/$name" "$first" "$fixtures/volumes/vg-one/$name" \
        >"$scratch/text" 2>"$scratch/messages" || fail "files of vg-one/$name: $(cat "$scratch/text")"
done

# inspect: what lvs, vgs and pvs say.
"$VMFS" inspect --json -a "$second" "$first" >"$scratch/ours.json" 2>"$scratch/messages"
python3 - "$scratch/ours.json" "$fixtures/report.json" <<'EOF'
import json, sys
ours, theirs = (json.load(open(path)) for path in sys.argv[1:])
group = next(group for group in ours['volume_groups'] if group['name'] == 'vg-one')
assert len(group['physical_volumes']) == 2 and not any(pv['missing'] for pv in group['physical_volumes']), group
assert [pv['volume'] for pv in group['physical_volumes']] == ['p2', 'disk2'], group
listed = {lv['name']: lv for lv in group['logical_volumes']}
types, sizes = {}, {}
for row in theirs['seg']:
    name = row['lv_name'].strip('[]')
    types[name] = row['segtype']
    sizes[name] = sizes.get(name, 0) + int(row['seg_size_pe']) * group['extent_size']
    assert listed[name]['visible'] == (not row['lv_name'].startswith('[')), name
assert listed.keys() == types.keys(), listed.keys() ^ types.keys()
for name, lv in listed.items():
    if name == 'old-snap':
        assert (lv['type'], lv['size']) == ('snapshot', sizes['old'])
    else:
        assert (lv['type'], lv['size']) == (types[name], sizes[name]), lv
EOF
"$VMFS" inspect -a "$second" "$first" >"$scratch/text" 2>"$scratch/messages"
for words in 'vg-one/root .*12M .*ext4 .*root .*One' 'volume group vg-one: .* on p2, disk2' 'volume group solo: .* on p3' \
    'vg-one/r5: LVM: volumes of type raid5_ls cannot be read'; do
    grep -q "$words" "$scratch/text" || fail "inspect does not say $words: $(cat "$scratch/text")"
done

# Other projects' images.
folder=$(corpora_folder) || exit $?
volumes=0
while IFS=$'\t' read -r image _ value; do
    IFS='|' read -r name size sum _ <<<"${value// /}"
    unpack "$folder" "$image" >"$scratch/disk"
    "$VMFS_TOOLS/imgdump" --volume "$name" "$scratch/disk" >"$scratch/volume"
    got=$(sha256sum <"$scratch/volume")
    [ "${got%% *} $(stat -c %s "$scratch/volume")" = "$sum $size" ] || fail "$image: $name is $got"
    volumes=$((volumes + 1))
done < <(awk -F '\t' '$2 == "lv"' "$folder/lvm.tsv")
[ "$volumes" -ge 3 ] || fail "only $volumes volumes found in $folder/lvm.tsv"
printf '%d volumes of fixtures, %d of others are equal\n' "$(find "$fixtures/volumes" -type f ! -name '*.xml' | wc -l)" "$volumes"
