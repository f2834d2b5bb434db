#!/usr/bin/env bash
# Replays a fuzz target's corpus, then fuzzes for FUZZ_SECONDS (default 20): run.sh PROGRAM NAME
set -euo pipefail
program=$1 name=$2
corpus=$(dirname "$0")/corpus/$name
grown=$(dirname "$program")/corpus-$name
mkdir -p "$grown"
cd "$grown/.."
"$program" -max_total_time="${FUZZ_SECONDS:-20}" -rss_limit_mb=1024 -timeout=10 -artifact_prefix="crash-$name-" \
  -print_final_stats=1 "$grown" "$corpus"
