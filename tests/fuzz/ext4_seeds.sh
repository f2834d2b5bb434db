#!/usr/bin/env bash
# Makes corpus/ext4/ext4-fast-commit of ext4-journal-plain: the journal gets 64 blocks for fast commits, whose area begins
# where ext4_fuzz.cc puts checksums right, and in it a fast commit with a tag of each kind.
set -euo pipefail
cd "$(dirname "$0")/corpus/ext4"
python3 - ext4-journal-plain ext4-fast-commit <<'EOF'
import struct, sys
BLOCK, LOG, AREA, FAST = 1024, 22, 30, 64
image = bytearray(open(sys.argv[1], "rb").read())

def crc32c(crc, data):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc

inodes = struct.unpack_from("<I", image, 2 * BLOCK + 8)[0] * BLOCK
journal = inodes + 7 * 256
struct.pack_into("<I", image, journal + 4, (1024 + FAST) * BLOCK)
# The log's first blocks stay, those that are not in the input lie anywhere, the area lies behind the log.
extents = [(0, 7, LOG), (7, 1017, 1000), (1024, FAST, AREA - 1)]
struct.pack_into("<HHHHI", image, journal + 40, 0xF30A, len(extents), 4, 0, 0)
for i, (logical, length, first) in enumerate(extents):
    struct.pack_into("<IHHI", image, journal + 52 + 12 * i, logical, length, 0, first)
superblock = LOG * BLOCK
struct.pack_into(">I", image, superblock + 0x10, 1024 + FAST)
incompat = struct.unpack_from(">I", image, superblock + 0x28)[0]
struct.pack_into(">I", image, superblock + 0x28, incompat | 0x20)
struct.pack_into(">I", image, superblock + 0x54, FAST)
compat = struct.unpack_from("<I", image, BLOCK + 0x5C)[0]
struct.pack_into("<I", image, BLOCK + 0x5C, compat | 0x400)

# One transaction; the second of ext4-journal-plain has a wrong checksum.
transaction = 2
image[(LOG + 5) * BLOCK : (LOG + 7) * BLOCK] = bytes(2 * BLOCK)

def tag(kind, value):
    return struct.pack("<HH", kind, len(value)) + value

inode = bytearray(256)
struct.pack_into("<HHIIIIIHHII", inode, 0, 0o100644, 0, 2048, 0, 0, 0, 0, 0, 1, 4, 0x80000)
struct.pack_into("<HHHHI", inode, 40, 0xF30A, 0, 4, 0, 0)
struct.pack_into("<H", inode, 128, 32)
text = tag(9, struct.pack("<II", 0, transaction))
text += tag(6, struct.pack("<I", 12) + bytes(inode))
text += tag(1, struct.pack("<IIHHI", 12, 0, 2, 0, 9))
text += tag(3, struct.pack("<II", 2, 12) + b"fast")
text += tag(4, struct.pack("<II", 2, 12) + b"linked")
text += tag(2, struct.pack("<III", 12, 1, 1))
text += tag(5, struct.pack("<II", 2, 12) + b"linked")
text += struct.pack("<HHI", 8, BLOCK - len(text) - 4, transaction)
text += struct.pack("<I", crc32c(0, text))
image += bytes(AREA * BLOCK - len(image)) + text + bytes(BLOCK - len(text) % BLOCK)
open(sys.argv[2], "wb").write(image)
EOF
