#!/usr/bin/env bash
# Bytes and maps of random qcow2 images against qemu-img's. QCOW2_SEED and QCOW2_COUNT choose others.
# timeout: 240
set -euo pipefail
seed=${QCOW2_SEED:-1} images=${QCOW2_COUNT:-40}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
imgdump=$VMFS_TOOLS/imgdump
tools=$VMFS_SOURCE/tests/tools
mkdir "$work/images"
python3 "$tools/qcow2_random.py" "$seed" "$images" "$work/images" >"$work/list"
cd "$work/images"
count=0 failed=0

while IFS=$'\t' read -r image snapshot; do
  count=$((count + 1))
  theirs=$image options=()
  if [ -n "$snapshot" ]; then
    theirs=applied.qcow2 options=(--snapshot "$snapshot")
    cp "$image" "$theirs"
    # An image that QEMU marked corrupt later is no oracle for its snapshots.
    qemu-img snapshot -a "$snapshot" "$theirs" || continue
  fi
  qemu-img convert -O raw "$theirs" "$work/expected"
  if ! "$imgdump" "${options[@]}" "$image" | cmp - "$work/expected"; then
    echo "FAILED seed $seed $image $snapshot: other bytes"
    failed=$((failed + 1))
  fi
  [ -z "$snapshot" ] || continue
  "$imgdump" --map "$image" >"$work/ours"
  qemu-img map --output=json "$image" >"$work/theirs"
  data=data${image//[!0-9]/}
  data=${data%2}
  [ -e "$data" ] || data=$image
  python3 "$tools/compare_map.py" "$work/ours" "$work/theirs" "$(stat -c %s "$data")" || {
    echo "FAILED seed $seed $image: other map"
    failed=$((failed + 1))
  }
done <"$work/list"

echo "seed $seed: $count views of $images images compared, $failed failed"
[ "$failed" = 0 ] && [ "$count" -ge "$images" ]
