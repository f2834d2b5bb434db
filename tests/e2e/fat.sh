#!/usr/bin/env bash
# FAT volumes hold what mtools takes out of them, with the attributes that Linux gives them; through FUSE too.
# needs: fat
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need mcopy mattrib fsck.fat blkid diff jq
export LC_ALL=C.UTF-8 TZ=UTC MTOOLS_SKIP_CHECK=1
as_user true
mnt=$scratch/mnt
if [ "$EUID" -eq 0 ]; then install -d -o "$test_user" "$mnt"; else mkdir "$mnt"; fi

# What both trees must have alike: of directories names and links, of files all.
columns() { grep -v '^#' "$1" | awk -F '\t' -v OFS='\t' 'NR > 1 && $1 != "." { if ($2 == "d") $6 = $9 = "-"; print $1, $2, $6, $7, $9, $10, $11 }'; }

for image in "$VMFS_FIXTURES"/fat/*.img; do
    name=$(basename "$image" .img)
    rm -rf "$scratch/tree" && mkdir "$scratch/tree"
    mcopy -s -m -i "$image" '::/*' "$scratch/tree"
    "$VMFS_TOOLS/manifest" dir --full "$scratch/tree" >"$scratch/mtools"
    "$VMFS_TOOLS/manifest" image --full "$image" >"$scratch/ours"
    diff <(columns "$scratch/mtools") <(columns "$scratch/ours") >"$scratch/diff" ||
        fail "$name: $(head -n 5 "$scratch/diff")"
    [ "$(wc -l <"$scratch/ours")" -gt 300 ] || fail "$name: few files"
    # Linux's own view: whose they are, what may be done, which names are listed, whole clusters.
    cluster=$(sed -n 's/^# statfs: \([0-9]*\) .*/\1/p' "$scratch/ours")
    awk -F '\t' -v cluster="$cluster" '/^#/ || $1 == "path" { next }
        { mode = $1 == "random" ? "0555" : "0755"; split($17, listed, ":") }
        $3 != mode || $4 != 0 || $5 != 0 || ($1 != "." && (listed[1] != $8 || listed[2] != ($2 == "d" ? 4 : 8))) { print; bad = 1 }
        $15 != int(($6 + cluster - 1) / cluster) * cluster / 512 { print "blocks", $0; bad = 1 }
        seen[$8]++ { print "inode", $0; bad = 1 }
        END { exit bad }' "$scratch/ours" >"$scratch/diff" || fail "$name: $(head -n 5 "$scratch/diff")"
    used=$(fsck.fat -n "$image" | sed -n 's:.* \([0-9]*/[0-9]*\) clusters$:\1:p')
    [ "$used" = "$(awk '/^# statfs:/ { print $4 - $5 "/" $4 }' "$scratch/ours")" ] || fail "$name: not $used clusters are used"
    "$VMFS" inspect --json "$image" >"$scratch/inspect"
    for field in TYPE:type LABEL:label UUID:uuid; do
        [ "$(blkid -p -s "${field%:*}" -o value "$image")" = "$(jq -r ".volumes[0].filesystem.${field#*:}" "$scratch/inspect")" ] ||
            fail "$name: not blkid's ${field%:*}"
    done

    cp --sparse=always "$image" "$scratch/copy.img" && chmod 0644 "$scratch/copy.img"
    as_user "$VMFS" mount "$scratch/copy.img" "$mnt"
    as_user "$VMFS_TOOLS/manifest" dir --full "$mnt" >"$scratch/fuse"
    [ "$(as_user cat "$mnt/LOWER/FILE.TXT" "$mnt/mixed case/../EFI/boot/bootx64.efi")" = $'x\nboot' ] || fail "$name: case counts"
    as_user "$VMFS" umount "$mnt"
    diff <(cut -f 1-13,15- "$scratch/ours") <(cut -f 1-13,15- "$scratch/fuse") >"$scratch/diff" ||
        fail "$name through FUSE: $(head -n 5 "$scratch/diff" | cut -c 1-400)"
done
printf 'FAT in every width as mtools and fsck.fat know it\n'
