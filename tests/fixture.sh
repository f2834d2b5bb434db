#!/usr/bin/env bash
# Makes one set of fixtures unless it is there already: fixture.sh SCRIPT DIRECTORY
# A set is made anew when its script changed, or a file that a line "# made with: FILE..." in it names; a set half made
# is never used.
set -euo pipefail
script=$1 directory=$2
stamp=$directory.stamp
read -r -a helpers < <(sed -n 's/^# made with: //p' "$script") || true
sum=$(cat "$script" "${helpers[@]/#/$VMFS_SOURCE/tests/}" | sha256sum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && exit 0
rm -rf "$directory" "$stamp"
mkdir -p "$directory"
bash "$script" "$directory"
printf '%s\n' "$sum" >"$stamp"
