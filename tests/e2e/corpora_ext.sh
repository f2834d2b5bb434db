#!/usr/bin/env bash
# Every ext2, ext3 and ext4 of other projects' images: sound ones are what Linux showed of them, damaged ones harm nobody.
# timeout: 300
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
. "$VMFS_SOURCE/tests/corpora.sh"
walk_corpora '^ext' "$VMFS_SOURCE/tests/e2e/corpora_ext.differences" 220
