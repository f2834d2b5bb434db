# shellcheck shell=bash
# shellcheck disable=SC2154 # what bench/compare.sh and tests/lib.sh set
# What the bench scripts share: measuring, and what must be the same for all systems.
# Use: . "$VMFS_SOURCE/bench/lib.sh", with $scratch from tests/lib.sh.

# record GROUP SYSTEM MEASURE VALUE; $round is the round that runs.
record() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${round:-0}" "$4" >>"$scratch/values"
}

# timed GROUP SYSTEM MEASURE COMMAND...: seconds by the clock
timed() {
    local start end
    start=${EPOCHREALTIME/[.,]/}
    "${@:4}"
    end=${EPOCHREALTIME/[.,]/}
    record "$1" "$2" "$3" "$(awk "BEGIN { print ($end - $start) / 1e6 }")"
}

drop_caches() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
}

# What was seen must be the same everywhere, or the comparison is worth nothing: same WHAT VALUE
same() {
    [ -e "$scratch/seen.$1" ] || printf '%s\n' "$2" >"$scratch/seen.$1"
    [ "$(cat "$scratch/seen.$1")" = "$2" ] || fail "$1: $2 instead of $(cat "$scratch/seen.$1")"
}

# interleaved ROUNDS FUNCTION SYSTEM...: calls FUNCTION for each system in each round, each round beginning with another
# one, so that what else the machine does falls on all of them.
interleaved() {
    local rounds=$1 function=$2 turn
    shift 2
    local systems=("$@")
    for ((round = 0; round < rounds; round++)); do
        for ((turn = 0; turn < ${#systems[@]}; turn++)); do
            "$function" "${systems[(turn + round) % ${#systems[@]}]}"
        done
    done
    unset round
}
