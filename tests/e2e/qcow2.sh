#!/usr/bin/env bash
# Bytes and map of every image shape against qemu-img's.
# needs: qcow2
# timeout: 120
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
imgdump=$VMFS_TOOLS/imgdump
cd "$VMFS_FIXTURES/qcow2"
count=0 failed=0

wrong() {
  echo "FAILED $1: $2"
  failed=$((failed + 1))
}

# check NAME QEMU_IMAGE... -- IMGDUMP_ARGUMENT...: the bytes; "map" in front of all: the map too
check() {
  local with_map=$1 name=$2 theirs=()
  shift 2
  while [ "$1" != -- ]; do
    theirs+=("$1")
    shift
  done
  shift
  count=$((count + 1))
  qemu-img convert "${theirs[@]}" -O raw "$work/expected"
  "$imgdump" "$@" 2>"$work/errors" >"$work/got" || wrong "$name" "$(cat "$work/errors")"
  cmp "$work/got" "$work/expected" || wrong "$name" "other bytes"
  [ "$with_map" = map ] || return 0
  "$imgdump" --map "$@" 2>/dev/null >"$work/ours"
  qemu-img map --output=json "${theirs[@]}" >"$work/theirs"
  local data
  data=$(qemu-img info --output=json "${theirs[@]}" |
    python3 -c 'import json,sys; i=json.load(sys.stdin); print(i.get("format-specific",{}).get("data",{}).get("data-file",i["filename"]))')
  python3 "$VMFS_SOURCE/tests/tools/compare_map.py" "$work/ours" "$work/theirs" "$(stat -Lc %s "$data")" ||
    wrong "$name" "other map"
}

for image in *.qcow2 *.qcow; do
  case $image in
    aes.*)
      options="driver=${image#aes.},encrypt.format=aes,encrypt.key-secret=key,file.filename=$image"
      check bytes "$image" --object secret,id=key,data=geheim --image-opts "$options" -- --password geheim "$image"
      ;;
    # Relative to where the image really lies; QEMU starts at the link.
    over-link.*) check map "$image" elsewhere/over-relative.qcow2 -- "$image" ;;
    *) check map "$image" "$image" -- "$image" ;;
  esac
done

# A snapshot is what the image becomes when it is applied.
for snapshot in 1:2 2:second 3:third; do
  cp snapshots.qcow2 "$work/applied.qcow2"
  qemu-img snapshot -a "${snapshot%:*}" "$work/applied.qcow2"
  check bytes "snapshot ${snapshot%:*}" "$work/applied.qcow2" -- --snapshot "${snapshot%:*}" snapshots.qcow2
  [ "${snapshot#*:}" = 2 ] || check bytes "snapshot ${snapshot#*:}" "$work/applied.qcow2" -- --snapshot "${snapshot#*:}" snapshots.qcow2
done

echo "$count images compared, $failed failed"
[ "$failed" = 0 ] && [ "$count" -gt 45 ]
