#!/usr/bin/env bash
# Makes fuzz/corpus/lvm anew, a small group for each kind of volume: lvm_seeds.sh DIRECTORY (environment as for the tests).
# Run by hand; thin_restore makes the metadata of the pool.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need thin_restore python3
python3 - "$(realpath "$1")" "$scratch" <<'EOF'
import struct, subprocess, sys
directory, scratch = sys.argv[1:]
EXTENT, START = 4096, 1 << 20

def ident(letter): return '-'.join([letter * 6] + [letter * 4] * 5 + [letter * 6])

def volume(name, extents, segment, visible=True):
    flag = ', "VISIBLE"' if visible else ''
    return (f'{name} {{\nid = "{ident("l")}"\nstatus = ["READ"{flag}]\nsegment_count = 1\nsegment1 {{\nstart_extent = 0\n'
            f'extent_count = {extents}\n{segment}\n}}\n}}\n')

def row(place, extent, count, name, visible=True):
    return volume(name, count, f'type = "striped"\nstripe_count = 1\nstripes = ["{place}", {extent}]', visible)

def sparse(size, parts):
    out = struct.pack('<I', size // 512)
    for offset, data in parts:
        for at in range(0, len(data), 8):
            unit = data[at:at + 8].ljust(8, b'\0')
            if unit.strip(b'\0'):
                out += struct.pack('<IH', (offset + at) // 8, 1) + unit
    return out

def seed(name, volumes, parts=(), extents=2048):
    text = (f'vg {{\nid = "{ident("v")}"\nseqno = 1\nextent_size = 8\nphysical_volumes {{\np {{\nid = "{ident("p")}"\n'
            f'pe_start = {START // 512}\npe_count = {extents}\n}}\n}}\nlogical_volumes {{\n{volumes}}}\n}}\n').encode() + b'\0'
    disk = sparse(START + extents * EXTENT, [(START + extent * EXTENT, data) for extent, data in parts])
    with open(f'{directory}/{name}', 'wb') as file:
        file.write(b'\1' + struct.pack('<H', len(text)) + text + disk)

seed('linear', row('p', 3, 5, 'lv') + row('lv', 1, 2, 'on'), [(3, b'some')])
seed('striped', volume('lv', 6, 'type = "striped"\nstripe_count = 2\nstripe_size = 8\nstripes = ["p", 1, "p", 9]'), [(1, b'some')])
seed('mirror', row('p', 1, 4, 'i0', False) + row('p', 9, 4, 'i1', False) +
     volume('lv', 4, 'type = "mirror"\nmirror_count = 2\nmirrors = ["i0", 0, "i1", 0]') + volume('z', 2, 'type = "zero"'))
state = [struct.pack('<4I4Q4I', 0x64526d44, 0, 2, leg, 5 + leg, 1, 2**64 - 1, 2**64 - 1, 1, 0, 0, 0) for leg in (0, 1)]
parts = ''.join(row('p', 10 * leg, 1, f'm{leg}', False) + row('p', 10 * leg + 1, 4, f'i{leg}', False) for leg in (0, 1))
seed('raid', parts + volume('lv', 4, 'type = "raid1"\ndevice_count = 2\nraids = ["m0", "i0", "m1", "i1"]') +
     volume('r0', 8, 'type = "raid0"\nstripe_count = 2\nstripe_size = 8\nraid0_lvs = ["i0", "i1"]'), [(0, state[0]), (10, state[1])])
cow = struct.pack('<4I', 0x70416e53, 1, 1, 8)
table = struct.pack('<6Q', 4, 2, 5, 3, 1, 4)
seed('snapshot', row('p', 0, 8, 'origin') + row('p', 20, 8, 'snap', False) +
     volume('snapshot0', 8, 'type = "snapshot"\nchunk_size = 8\norigin = "origin"\ncow_store = "snap"'), [(20, cow), (21, table)])
seed('merging', row('p', 0, 8, 'origin') + row('p', 20, 8, 'snap', False) +
     volume('snapshot0', 8, 'type = "snapshot"\nchunk_size = 8\norigin = "origin"\nmerging_store = "snap"'), [(20, cow), (21, table)])

def pool(name, mappings, extra=''):
    xml = '<superblock uuid="" time="1" transaction="2" data_block_size="128" nr_data_blocks="60">'
    for device, blocks in mappings.items():
        xml += f'<device dev_id="{device}" mapped_blocks="{len(blocks)}" transaction="0" creation_time="0" snap_time="0">'
        xml += ''.join(f'<single_mapping origin_block="{at}" data_block="{to}" time="0"/>' for at, to in blocks)
        xml += '</device>'
    open(f'{scratch}/xml', 'w').write(xml + '</superblock>')
    open(f'{scratch}/pool', 'wb').truncate(4 << 20)
    subprocess.run(['thin_restore', '-i', f'{scratch}/xml', '-o', f'{scratch}/pool'], check=True, stdout=subprocess.DEVNULL)
    data = open(f'{scratch}/pool', 'rb').read()
    volumes = (row('p', 0, 1024, 'tm', False) + row('p', 1024, 960, 'td', False) + row('p', 2000, 16, 'ext') +
               volume('pool', 960, 'type = "thin-pool"\nmetadata = "tm"\npool = "td"\ntransaction_id = 2\nchunk_size = 128'))
    for device in mappings:
        volumes += volume(f't{device}', 3200, f'type = "thin"\nthin_pool = "pool"\ndevice_id = {device}\ntransaction_id = 0' + extra)
    seed(name, volumes, [(0, data)])

# A device as a whole, whose text goes round the ring; checksums are the target's.
text = (f'vg {{\nid = "{ident("v")}"\nseqno = 1\nextent_size = 8\nphysical_volumes {{\np {{\nid = "{ident("p")}"\n'
        f'pe_start = 256\npe_count = 8\n}}\n}}\nlogical_volumes {{\n{row("p", 1, 2, "lv")}}}\n}}\n').encode() + b'\0'
label = b'LABELONE' + struct.pack('<QII', 1, 0, 32) + b'LVM2 001' + b'p' * 32 + struct.pack('<9Q', 1 << 20, 131072, 0, 0, 0, 4096, 61440, 0, 0)
area = struct.pack('<I', 0) + b' LVM2 x[5A%r0N*>' + struct.pack('<I5Q', 1, 4096, 61440, 61336, len(text), 0)
with open(f'{directory}/whole', 'wb') as file:
    file.write(b'\0' + sparse(1 << 20, [(512, label), (4096, area), (4096 + 61336, text[:104]), (4096 + 512, text[104:])]))

pool('thin', {1: [(0, 3), (1, 4), (5, 9)], 2: [(0, 3), (2, 8)]})
pool('thin-origin', {1: [(2, 3)]}, '\nexternal_origin = "ext"')
pool('thin-deep', {1: [(block * 3, block % 60) for block in range(300)]})
EOF
