#!/usr/bin/env bash
# timeout: 120
# Partition tables and volumes made by others: partitions.tsv, and what libblkid's own tests expect.
set -euo pipefail
corpora=${VMFS_CORPORA:-$VMFS_SOURCE/../shared/corpora}
if [ ! -d "$corpora" ]; then
  echo "no corpora at $corpora"
  [ -z "${CI:-}" ] && exit 77
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "FAILED: $*" >&2; failed=1; }

unpack() {
  case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -dcq "$1" ;;
    *.gz) gzip -dc "$1" ;;
    *.bz2) bzip2 -dc "$1" ;;
    *) cat "$1" ;;
  esac | dd of="$work/image" bs=64k conv=sparse iflag=fullblock status=none
}

# Start, size and type of each partition that is at least partly on the disk, cut off at its end.
expected() {
  awk -F '\t' -v image="$1" -v disk="$2" '
    $1 == image && $4 < disk && $5 > 0 { print $4, ($4 + $5 > disk ? disk - $4 : $5), (length($6) == 1 ? "0" $6 : $6) }' \
    "$corpora/partitions.tsv"
}
tables=0
while read -r image; do
  unpack "$corpora/$image"
  size=$(stat -c %s "$work/image")
  diff <(expected "$image" $((size / 512 * 512))) \
    <("$VMFS_TOOLS/volumes" table "$work/image" 2>/dev/null | awk 'NR > 1 { print $2, $3, $4 }') ||
    complain "$image: other partitions than expected"
  tables=$((tables + 1))
done < <(awk -F '\t' '($2 == "gpt" || $2 == "dos") && $1 !~ /\.(vmdk|vhdx\.gz|dmg\.bz2)$/ { print $1 }' \
  "$corpora/partitions.tsv" | sort -u)

volumes=0
for packed in "$corpora"/util-linux/ts/blkid/images-fs/*.img.xz; do
  name=$(basename "$packed" .img.xz)
  expected=$corpora/util-linux/expected/blkid/low-probe-$name
  [ -f "$expected" ] || continue
  unpack "$packed"
  wanted="$(sed -n 's/^ID_FS_TYPE=//p' "$expected") $(sed -n 's/^ID_FS_USAGE=//p' "$expected")"
  ours=$("$VMFS_TOOLS/volumes" identify "$work/image")
  [ "$ours" = "$work/image $wanted" ] || complain "$name is '$wanted', we have '${ours#* }'"
  volumes=$((volumes + 1))
done
echo "$tables tables, $volumes volumes"
if [ $tables -lt 9 ] || [ $volumes -lt 70 ]; then complain "corpora are not complete"; fi
exit $failed
