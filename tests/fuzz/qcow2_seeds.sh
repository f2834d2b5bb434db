#!/usr/bin/env bash
# Makes the seeds in corpus/qcow2 anew: qcow2_seeds.sh FOLDER
# The version byte is written as the fuzz target reads it: 1 + byte % 3.
set -euo pipefail
cd "$1"
io() { qemu-io -f "$1" "${@:3}" "$2" >/dev/null; }
create() { qemu-img create -q "$@"; }
seq 1 3000 | head -c 12288 >text

create -f qcow2 -o cluster_size=512 v3.qcow2 100k
io qcow2 v3.qcow2 -c 'write -P 1 0 3k' -c 'write -z 4k 1k' -c 'write -z -u 1k 512' -c 'write -P 2 90k 600'
create -f qcow2 -o cluster_size=512,compat=0.10 v2.qcow2 64k
io qcow2 v2.qcow2 -c 'write -P 1 1k 3k'
for type in zlib zstd; do
  qemu-img convert -f raw -O qcow2 -c -o "compression_type=$type,cluster_size=4k" text "$type.qcow2"
done
create -f qcow2 -o cluster_size=512 snapshots.qcow2 40k
io qcow2 snapshots.qcow2 -c 'write -P 1 0 2k'
qemu-img snapshot -c one snapshots.qcow2
io qcow2 snapshots.qcow2 -c 'write -P 2 1k 2k'
qemu-img snapshot -c two snapshots.qcow2
create -u -f qcow2 -o cluster_size=512 -b base -F raw backing.qcow2 120k
io raw backing.qcow2 -c 'read 0 512'
create -f qcow2 -o cluster_size=512,data_file=data data.qcow2 40k
io qcow2 data.qcow2 -c 'write -P 1 1k 2k' -c 'write -z 5k 1k'
create -f qcow v1.qcow 40k
io qcow v1.qcow -c 'write -P 1 0 3k' -c 'write -c -P 3 8k 4k'
secret=(--object 'secret,id=key,data=secret')
qemu-img create -q "${secret[@]}" -f qcow2 -o cluster_size=512,encrypt.format=aes,encrypt.key-secret=key aes.qcow2 40k
qemu-io "${secret[@]}" --image-opts driver=qcow2,encrypt.format=aes,encrypt.key-secret=key,file.filename=aes.qcow2 \
  -c 'write -P 1 0 3k' >/dev/null
# Subclusters need clusters of 16 KiB, and qemu-img spends too many of them: header, L1, L2 by hand.
python3 - <<'PYTHON'
import struct
image = bytearray(3 << 14)
struct.pack_into(">IIQIIQIIQQIIQQQQII", image, 0, 0x514649FB, 3, 0, 0, 14, 1 << 20, 0, 1, 1 << 14, 0, 0, 0, 0, 16, 0, 0, 4, 112)
struct.pack_into(">Q", image, 1 << 14, 2 << 14)
for i, (entry, bitmap) in enumerate([(1 << 14, 0xFFFFFFFF), (2 << 14, 0xF0), (0, 0xFF << 32), (1 << 14, 0xFF00 << 32 | 0xFF)]):
    struct.pack_into(">QQ", image, (2 << 14) + 16 * i, entry, bitmap)
open("extended.qcow2", "wb").write(image)
PYTHON
rm -f text data
python3 - ./*.qcow2 ./*.qcow <<'PYTHON'
import sys
for path in sys.argv[1:]:
    with open(path, "r+b") as image:
        image.seek(7)
        version = image.read(1)[0]
        image.seek(7)
        image.write(bytes([version - 1]))
PYTHON
