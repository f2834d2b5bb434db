#!/usr/bin/env bash
# needs: volumes partitions
# timeout: 60
# What volumes are, against blkid.
set -euo pipefail
cd "$VMFS_FIXTURES"
failed=0 count=0
for image in volumes/*.img partitions/bare_*.img; do
  type=$(blkid -p -o value -s TYPE "$image") || type=-
  usage=$(blkid -p -o value -s USAGE "$image") || usage=-
  ours=$("$VMFS_TOOLS/volumes" identify "$image")
  count=$((count + 1))
  [ "$ours" = "$image $type $usage" ] && continue
  echo "FAILED: blkid has $type $usage, we have $ours" >&2
  failed=1
done
[ $count -ge 30 ] || failed=1
exit $failed
