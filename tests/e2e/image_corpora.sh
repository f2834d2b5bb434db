#!/usr/bin/env bash
# Every disk image of the corpora: the guest's view has the sum in containers.tsv, or the image is refused by name.
# timeout: 120
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
corpora=${VMFS_CORPORA:-$VMFS_SOURCE/../shared/corpora}
[ -f "$corpora/containers.tsv" ] || skip "no corpora at $corpora"
imgdump=$VMFS_TOOLS/imgdump
count=0 failed=0

wrong() {
  echo "FAILED $1: $2"
  failed=$((failed + 1))
}

unpack() { # unpack FILE: prints the path of the plain file
  local name=$scratch/${1##*/}
  case $1 in
    *.bz2) bzip2 -dc "$1" >"${name%.bz2}" && echo "${name%.bz2}" ;;
    *.gz) gzip -dc "$1" >"${name%.gz}" && echo "${name%.gz}" ;;
    *.zst) zstd -qdc "$1" >"${name%.zst}" && echo "${name%.zst}" ;;
    *) echo "$1" ;;
  esac
}

readable() { # readable NAME FILE SUM
  local sum
  sum=$("$imgdump" "$2" 2>"$scratch/errors" | sha256sum | cut -d' ' -f1)
  [ "$sum" = "$3" ] || wrong "$1" "other bytes $(cat "$scratch/errors")"
}

# AddressSanitizer reserves more addresses than any limit; its builds do without one.
limit=1000000
if has_sanitizer "$imgdump"; then limit=unlimited; fi

refused() { # refused NAME FILE PATTERN: fails within the memory limit, saying PATTERN
  if (ulimit -v "$limit" && "$imgdump" "$2") >"$scratch/output" 2>"$scratch/errors"; then
    wrong "$1" "accepted"
  elif ! grep -qE "$3" "$scratch/errors"; then
    wrong "$1" "lacks '$3': $(cat "$scratch/errors")"
  fi
}

while IFS=$'\t' read -r name format _ _ backing sum oracle _; do
  case $oracle in libqcow* | lib*) continue ;; esac
  count=$((count + 1))
  file=$(unpack "$corpora/$name")
  case $format in
    qcow2 | qcow)
      if [ "$backing" = - ]; then readable "$name" "$file" "$sum"; else refused "$name" "$file" '^ENOENT: .*cirros.raw'; fi
      ;;
    '?')
      case $name in
        *.raw.bz2) readable "$name" "$file" "$(sha256sum <"$file" | cut -d' ' -f1)" ;;
        *) refused "$name" "$file" '^EOPNOTSUPP: .*(vmdk|vhd)' ;;
      esac
      ;;
    vpc) refused "$name" "$file" '^EOPNOTSUPP: .*vhd' ;;
    *) refused "$name" "$file" "^EOPNOTSUPP: .*$format" ;;
  esac
done < <(sed -e 1d -e 's/\t\t/\t-\t/g;s/\t\t/\t-\t/g' "$corpora/containers.tsv")

echo "$count images, $failed failed"
[ "$failed" = 0 ] && [ "$count" -gt 35 ]
