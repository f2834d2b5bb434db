#!/usr/bin/env bash
# Every XFS of other projects' images, its log replayed if it has to be: sound ones are what Linux showed of them, damaged ones
# harm nobody.
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/corpora.sh"
corpora_options=()
walk_corpora '^xfs$' "$VMFS_SOURCE/tests/e2e/corpora_xfs.differences" 25
