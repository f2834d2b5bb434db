#!/usr/bin/env bash
# needs: partitions
# timeout: 60
# Partition tables against sfdisk and partx.
set -euo pipefail
cd "$VMFS_FIXTURES/partitions"
ours="$VMFS_TOOLS/volumes table"
failed=0
complain() { echo "FAILED: $*" >&2; failed=1; }

# Kind, id and sector size; then number, start, size, type and name: in bytes, GPT types in upper case. Not the
# PARTUUID, which sfdisk has for a GPT only.
by_sfdisk() {
  sfdisk -J "$1" 2>/dev/null | jq -r --arg image "$1" '
    .partitiontable | .label as $kind | .sectorsize as $sector
    | "\($kind) \(.id | ltrimstr("0x") | ascii_downcase) \($sector)",
      ((.partitions // [] | map(.number = (.node | ltrimstr($image) | tonumber)) | sort_by(.number))[]
      | (if $kind == "gpt" then .type else ("0" + .type)[-2:] end) as $type
      | "\(.number) \(.start * $sector) \(.size * $sector) \($type) \(.name // "")")'
}
# sfdisk cannot be told the sector size of a file; partx can, and counts in sectors of 512 bytes.
by_partx() {
  partx --raw --noheadings --sector-size "$2" -o NR,START,SECTORS,TYPE,UUID "$1" |
    awk '{ type = substr($4, 1, 2) == "0x" ? substr("0" $4, length($4)) : toupper($4)
           sub("x", "0", type); print $1, $2 * 512, $3 * 512, type, $5 }'
}

for image in gpt gpt_hybrid gpt_many gpt_empty gpt_bad_header_crc gpt_bad_entries_crc gpt_bad_signature mbr_5 mbr_f \
  mbr_85 mbr_sparse; do
  diff -q <(by_sfdisk $image.img) <($ours $image.img 2>/dev/null | sed -E 's/^([0-9]+ [0-9]+ [0-9]+ [^ ]+) [^ ]+/\1/') ||
    complain "$image differs from sfdisk's"
done
for image in gpt gpt_hybrid gpt_many gpt_4k gpt_4k_bad_header mbr_5 mbr_f mbr_85 mbr_sparse; do
  sector=512
  [[ $image != gpt_4k* ]] || sector=4096
  diff -q <(by_partx $image.img $sector) <($ours $image.img 2>/dev/null | tail -n +2 | cut -d ' ' -f 1-5) ||
    complain "$image differs from partx's"
  [[ $($ours $image.img 2>/dev/null | head -n 1) == *" $sector" ]] || complain "$image: sectors are not of $sector bytes"
done

for image in gpt_bad_header_crc gpt_bad_entries_crc gpt_bad_signature gpt_4k_bad_header; do
  $ours $image.img 2>&1 >/dev/null | grep 'backup\|another copy' >/dev/null || complain "$image: no word of the backup"
done
for image in gpt_bad_both gpt_cut_off; do
  said=$($ours $image.img 2>&1) && complain "$image: a table without a valid copy is not refused"
  [[ $said == *"errno 117"* ]] || complain "$image: not EUCLEAN but: $said"
done
for image in mbr_empty gpt_unprotected bare_vfat bare_exfat bare_ntfs bare_ext4; do
  [ "$($ours $image.img)" = none ] || complain "$image: a table where there is none"
done

# A disk that ends too early: what is behind its end is left out, the last one cut, as the kernel does.
cut=$((12 << 20))
diff -q <($ours mbr_5.img | awk -v end=$cut 'NR > 1 && $2 < end { print $1, $2, ($2 + $3 > end ? end - $2 : $3) }') \
  <($ours mbr_cut_off.img 2>/dev/null | tail -n +2 | cut -d ' ' -f 1-3) || complain "mbr_cut_off: not cut as the kernel does"
exit $failed
