#!/usr/bin/env bash
# What `vmfs inspect` says is what qemu-img, sfdisk, blkid, dumpe2fs and statfs say.
# needs: debian
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need_root "$@"
need qemu-img sfdisk blkid dumpe2fs python3
fixtures=$VMFS_FIXTURES/debian
raw=$fixtures/debian.raw
qemu-img create -q -f qcow2 -F qcow2 -b "$fixtures/debian.qcow2" "$scratch/overlay.qcow2"
image=$scratch/overlay.qcow2

"$VMFS" inspect --json "$image" >"$scratch/ours.json"
qemu-img info --output=json --backing-chain "$image" >"$scratch/qemu.json"
sfdisk -J "$raw" >"$scratch/sfdisk.json"
blkid -p -o export -O 1048576 "$raw" >"$scratch/blkid"
dumpe2fs -h "$raw?offset=1048576" >"$scratch/dumpe2fs" 2>/dev/null
with_loop_mount "$raw" ext4 ro,noload,offset=1048576 "$scratch/mnt" stat -f -c '%S %b %f %a %c %d' "$scratch/mnt" >"$scratch/statfs"

python3 - "$scratch" <<'EOF'
import json, sys, os

def load(name): return json.load(open(os.path.join(sys.argv[1], name)))
def text(name): return open(os.path.join(sys.argv[1], name)).read()
def same(what, ours, theirs):
    if ours != theirs: sys.exit(f'{what}: {ours!r}, not {theirs!r}')

ours, qemu = load('ours.json'), load('qemu.json')
same('length of the chain', len(ours['chain']), len(qemu))
for mine, theirs in zip(ours['chain'], qemu):
    same('path', os.path.realpath(mine['path']), os.path.realpath(theirs['filename']))
    same('format', mine['format'], theirs['format'])
    same('virtual size', mine['virtual_size'], theirs['virtual-size'])
    same('allocated', mine['allocated'], theirs['actual-size'])
    same('compat', mine['details']['compat'], theirs['format-specific']['data']['compat'])

table = load('sfdisk.json')['partitiontable']
same('table', ours['partition_table'], {'kind': table['label'], 'id': table['id'].lower(), 'sector_size': table['sectorsize']})
same('volumes', len(ours['volumes']), len(table['partitions']))
volume, partition = ours['volumes'][0], table['partitions'][0]
same('offset', volume['partition']['offset'], partition['start'] * 512)
same('size', volume['partition']['size'], partition['size'] * 512)
same('type', volume['partition']['type'], partition['type'])
same('uuid', volume['partition']['uuid'], partition['uuid'].lower())
same('name', volume['partition']['name'], partition['name'])

blkid = dict(line.split('=', 1) for line in text('blkid').splitlines() if '=' in line)
filesystem = volume['filesystem']
for mine, theirs in (('type', 'TYPE'), ('label', 'LABEL'), ('uuid', 'UUID')):
    same(mine, filesystem[mine], blkid[theirs])
dumpe2fs = dict(line.split(':', 1) for line in text('dumpe2fs').splitlines() if ':' in line)
same('features', sorted(filesystem['features']), sorted(dumpe2fs['Filesystem features'].split()))
same('state', filesystem['state'], dumpe2fs['Filesystem state'].strip())
block, blocks, free, available, files, files_free = map(int, text('statfs').split())
same('used', filesystem['used'], (blocks - free) * block)
same('available', filesystem['available'], available * block)
same('files', filesystem['files'], files - files_free)
same('system', volume['operating_system']['id'], 'debian')
EOF

"$VMFS" inspect "$image" >"$scratch/text"
for word in "$image" 'p1' 'ext4' 'root' 'clean' 'Debian GNU/Linux' "$(blkid -p -s UUID -o value -O 1048576 "$raw")"; do
    grep -qF -e "$word" "$scratch/text" || fail "inspect does not say $word: $(cat "$scratch/text")"
done
printf 'inspect agrees with the others\n'
