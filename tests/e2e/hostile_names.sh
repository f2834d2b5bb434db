#!/usr/bin/env bash
# Names that would move a terminal's cursor, end a line or lead elsewhere: no verb sends them to a terminal as they are,
# and an archive has no member outside the place where it is unpacked.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need mke2fs python3
image=$scratch/hostile.img
mkdir -p "$scratch/tree/dirA"
escape=$(printf '\033]0;owned\007\n\rnext')
printf hello >"$scratch/tree/$escape"
ln -s "$escape" "$scratch/tree/link"
printf hello >"$scratch/tree/dirA/$(printf 'c1\302\233K\177')"
printf pwned >"$scratch/tree/AAAAAAAAAAAAAAAA"
printf pwned >"$scratch/tree/..PARENT"
printf pwned >"$scratch/tree/BBBBB"
mke2fs -q -F -t ext4 -b 1024 -O ^metadata_csum,^dir_index,^has_journal -L "$(printf 'l\033[2Jx')" -d "$scratch/tree" "$image" 4M
python3 - "$image" <<'END'
import sys
data = open(sys.argv[1], 'rb').read()
for old, new in ((b'AAAAAAAAAAAAAAAA', b'../outside/pwned'), (b'..PARENT', b'/../../p'), (b'BBBBB', b'a\x00b\x1bc')):
    assert data.count(old) == 1
    data = data.replace(old, new)
open(sys.argv[1], 'wb').write(data)
END

# on_terminal COMMAND...: what the command sends to its terminal goes to $scratch/shown
on_terminal() {
    python3 - "$@" <<'END' >"$scratch/shown"
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        part = os.read(master, 65536)
    except OSError:
        break
    if not part:
        break
    sys.stdout.buffer.write(part)
os.waitpid(pid, 0)
END
}

# Nothing but text and ends of lines (a terminal makes \r\n of \n).
shows_text_only() {
    on_terminal "$@"
    [ -s "$scratch/shown" ] || fail "nothing was shown: ${*:2}"
    python3 - "$scratch/shown" <<'END' || fail "control characters: ${*:2}: $(cat -v "$scratch/shown")"
import sys
text = open(sys.argv[1], 'rb').read().replace(b'\r\n', b'\n').decode('utf-8')
odd = [c for c in text if (ord(c) < 0x20 and c not in '\n\t') or 0x7f <= ord(c) < 0xa0]
sys.exit(1 if odd else 0)
END
}
shows_text_only "$VMFS" ls "$image"
shows_text_only "$VMFS" ls -laR "$image"
shows_text_only "$VMFS" ls --json "$image"
shows_text_only "$VMFS" stat "$image" "$escape" link
shows_text_only "$VMFS" stat -c '%n %N' "$image" "$escape" link
shows_text_only "$VMFS" stat --json "$image" "$escape"
shows_text_only "$VMFS" find "$image"
shows_text_only "$VMFS" find "$image" -name 'c1*'
shows_text_only "$VMFS" hash "$image"
shows_text_only "$VMFS" hash --json "$image"
shows_text_only "$VMFS" inspect "$image"
shows_text_only "$VMFS" inspect --json "$image"
shows_text_only "$VMFS" cat "$image" "$escape/x"
shows_text_only "$VMFS" cp -a "$image" "$escape/x" "$scratch"
mkdir "$scratch/copied" "$scratch/outside"
shows_text_only "$VMFS" cp -a "$image" / "$scratch/copied"
shows_text_only "$VMFS" tar -f "$scratch/archive.tar" "$image"
shows_text_only "$VMFS" mount -p "$escape" "$image" "$scratch/copied"

# the archive, and the copy
python3 - "$scratch/archive.tar" <<'END' || fail 'members of the archive lead elsewhere'
import sys, tarfile
names = [member.name for member in tarfile.open(sys.argv[1])]
assert len(names) >= 4, names
for name in names:
    assert not name.startswith('/') and '..' not in name.split('/') and '\0' not in name, name
END
[ -z "$(ls -A "$scratch/outside")" ] || fail 'written outside'
for above in "$scratch/p" "$scratch/../p"; do [ ! -e "$above" ] || fail 'written above'; done
[ "$(find "$scratch/copied" -type f | wc -l)" -ge 2 ] || fail 'what has a name was not copied'
printf 'nothing but text, nothing outside\n'
