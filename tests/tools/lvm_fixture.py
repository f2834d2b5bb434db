#!/usr/bin/env python3
"""Makes of plain logical volumes those that LVM's tools make only with device mapper, and fills them.

lvm_fixture.py edit TEXT       rewrites a text of vgcfgbackup, to be read by vgcfgrestore
lvm_fixture.py fill REPORT DIRECTORY NAME=FILE...
                               writes images of volumes to the devices, by what `lvs` says of their extents, and leaves
                               in DIRECTORY what each volume shows
lvm_fixture.py rename FILE OLD NEW   renames a volume in the first metadata area of a disk image, as a newer version
lvm_fixture.py wraps DEVICE     whether the text in force in the first metadata area goes round the end of its ring
The oracle for where bytes go is the report of lvs; for what lies in a thin pool, thin_restore and thin_check.
"""
import json
import os
import random
import re
import struct
import subprocess
import sys
import zlib

EXTENT = 1 << 20
POOL_BLOCK = 64 << 10
COW_CHUNK = 4096


def uuid(name):
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    source = random.Random(name)
    text = ''.join(source.choice(letters) for _ in range(32))
    return '-'.join((text[:6], *(text[i:i + 4] for i in range(6, 26, 4)), text[26:]))


def volume(name, extents, kind, body, visible=True):
    lines = ''.join(f'\t\t\t\t{key} = {json.dumps(value)}\n' for key, value in body.items())
    status = '"READ", "WRITE"' + (', "VISIBLE"' if visible else '')
    return f'''
\t\t{name} {{
\t\t\tid = "{uuid(name)}"
\t\t\tstatus = [{status}]
\t\t\tflags = []
\t\t\tsegment_count = 1

\t\t\tsegment1 {{
\t\t\t\tstart_extent = 0
\t\t\t\textent_count = {extents}
\t\t\t\ttype = "{kind}"
{lines}\t\t\t}}
\t\t}}
'''


def raid_names(name, legs):
    return [f'{name}_{part}_{leg}' for leg in range(legs) for part in ('rmeta', 'rimage')]


def new_volumes():
    """The volumes to be, of plain ones that `lvcreate` made: see tests/fixtures/lvm.sh."""
    thin = {'thin_pool': 'pool', 'transaction_id': 0}
    raid = {'device_count': 2, 'region_size': 4096}
    return [
        volume('r0m', 8, 'raid0_meta', {'stripe_count': 2, 'stripe_size': 128, 'raids': raid_names('r0m', 2)}),
        volume('r1', 8, 'raid1', raid | {'raids': raid_names('r1', 2)}),
        volume('stale', 8, 'raid1', raid | {'raids': raid_names('stale', 2)}),
        volume('mir', 8, 'mirror', {'mirror_count': 2, 'region_size': 1024,
                                    'mirrors': ['mir_mimage_0', 0, 'mir_mimage_1', 0]}),
        volume('r5', 8, 'raid5_ls', {'device_count': 3, 'stripe_size': 128, 'region_size': 4096,
                                     'raids': raid_names('r5', 3)}),
        volume('pool', 24, 'thin-pool', {'metadata': 'pool_tmeta', 'pool': 'pool_tdata', 'transaction_id': 4,
                                         'chunk_size': POOL_BLOCK // 512, 'discards': 'passdown',
                                         'zero_new_blocks': 1}),
        volume('thin', 32, 'thin', thin | {'device_id': 1}),
        volume('thin-snap', 32, 'thin', thin | {'device_id': 2, 'transaction_id': 1, 'origin': 'thin'}),
        volume('thin-ext', 16, 'thin', thin | {'device_id': 3, 'transaction_id': 2, 'external_origin': 'outer'}),
        volume('thin-lost', 16, 'thin', thin | {'device_id': 9, 'transaction_id': 3}),
        volume('snapshot0', 8, 'snapshot', {'chunk_size': COW_CHUNK // 512, 'origin': 'old', 'cow_store': 'old-snap'}),
    ]


def edit(path, added):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    hidden = re.compile(r'[rm]\d?-?\w*-(rimage|rmeta|mimage)-\d|pool-t\w+|stale-\w+-\d')

    def rename(match):
        return match[1] + (match[2].replace('-', '_') if hidden.fullmatch(match[2]) else match[2]) + match[3]

    text = re.sub(r'(?m)^(\t\t)([\w.+-]+)( \{)$', rename, text)
    for name in re.findall(r'(?m)^\t\t([\w.+-]+) \{$', text):
        if re.search(r'_(rimage|rmeta|mimage)_\d$|_t(meta|data)$', name) or name == 'old-snap':
            start = text.index(f'\t\t{name} {{')
            text = text[:start] + text[start:].replace(', "VISIBLE"', '', 1)
    # "outer" is read by a thin volume, which LVM allows of a volume that nobody writes to only
    if (start := text.find('\t\touter {')) >= 0:
        text = text[:start] + text[start:].replace('"READ", "WRITE"', '"READ"', 1)
    end = text.rindex('\t}\n')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text[:end] + ''.join(added) + text[end:])


class Volumes:
    """The volumes of a report: their segments, and how to write to them."""

    def __init__(self, report):
        self.segments, self.starts = {}, {}
        for pv in report['pv']:
            self.starts[pv['pv_name']] = int(pv['pe_start'])
        for row in report['seg']:
            name = row['lv_name'].strip('[]')
            legs = []
            for part in row['seg_pe_ranges'].split():
                place, extents = part.rsplit(':', 1)
                legs.append((place.strip('[]'), int(extents.split('-')[0])))
            self.segments.setdefault(name, []).append({
                'start': int(row['seg_start_pe']) * EXTENT, 'size': int(row['seg_size_pe']) * EXTENT,
                'type': row['segtype'], 'stripe': int(row['stripe_size'] or 0), 'legs': legs})

    def write(self, name, offset, data):
        if name in self.starts:
            with open(name, 'r+b') as device:
                device.seek(self.starts[name] + offset)
                device.write(data)
            return
        for segment in self.segments[name]:
            first = max(offset, segment['start'])
            last = min(offset + len(data), segment['start'] + segment['size'])
            if first < last:
                self.write_segment(segment, first - segment['start'], data[first - offset:last - offset])

    def write_segment(self, segment, offset, data):
        legs = segment['legs']
        if segment['type'] in ('raid1', 'mirror') or len(legs) == 1:
            for place, extent in legs:
                self.write(place, extent * EXTENT + offset, data)
            return
        assert segment['type'] in ('striped', 'raid0', 'raid0_meta'), segment
        stripe = segment['stripe']
        while data:
            number, within = divmod(offset, stripe)
            part = data[:stripe - within]
            place, extent = legs[number % len(legs)]
            self.write(place, extent * EXTENT + number // len(legs) * stripe + within, part)
            data, offset = data[len(part):], offset + len(part)


def content(path, size):
    with open(path, 'rb') as file:
        data = file.read()
    assert len(data) <= size, path
    return data + bytes(size - len(data))


def fill_snapshot(volumes, origin, snapshot):
    """An exception store that makes of `origin` what `snapshot` is, its chunks in another order."""
    per_area = COW_CHUNK // 16
    changed = [i for i in range(len(origin) // COW_CHUNK)
               if origin[i * COW_CHUNK:(i + 1) * COW_CHUNK] != snapshot[i * COW_CHUNK:(i + 1) * COW_CHUNK]]
    assert len(changed) > per_area, 'a second area of exceptions is to be there'
    random.Random(7).shuffle(changed)
    # Some in a row, as a copy of a file leaves them.
    changed = sorted(changed[:20]) + changed[20:]
    volumes.write('old-snap', 0, struct.pack('<4I', 0x70416e53, 1, 1, COW_CHUNK // 512))
    for index, chunk in enumerate(changed):
        area, slot = divmod(index, per_area)
        base = 1 + area * (per_area + 1)
        if slot == 0:
            volumes.write('old-snap', base * COW_CHUNK, bytes(COW_CHUNK))
        new = base + 1 + slot
        volumes.write('old-snap', base * COW_CHUNK + slot * 16, struct.pack('<2Q', chunk, new))
        volumes.write('old-snap', new * COW_CHUNK, snapshot[chunk * COW_CHUNK:(chunk + 1) * COW_CHUNK])


def fill_pool(volumes, directory, devices, external=b''):
    """A pool in which equal blocks of devices are shared, the others scattered."""
    last = volumes.segments['pool_tdata'][-1]
    blocks = (last['start'] + last['size']) // POOL_BLOCK
    order = list(range(blocks))
    random.Random(3).shuffle(order)
    # Half of it in order, for runs
    order = sorted(order[:100]) + order[100:]
    placed, rows = {}, []
    for time, (number, data) in enumerate(devices):
        mappings = []
        for block in range(len(data) // POOL_BLOCK):
            part = data[block * POOL_BLOCK:(block + 1) * POOL_BLOCK]
            outside = external[block * POOL_BLOCK:(block + 1) * POOL_BLOCK] if number == 3 else b''
            if part == outside.ljust(POOL_BLOCK, b'\0'):
                continue
            if (block, part) not in placed:
                placed[block, part] = (order.pop(0), time)
                volumes.write('pool_tdata', placed[block, part][0] * POOL_BLOCK, part)
            where, when = placed[block, part]
            mappings.append(f'<single_mapping origin_block="{block}" data_block="{where}" time="{when}"/>')
        rows.append(f'<device dev_id="{number}" mapped_blocks="{len(mappings)}" transaction="{time}" '
                    f'creation_time="{time}" snap_time="{time}">' + ''.join(mappings) + '</device>')
    xml, metadata = f'{directory}/pool.xml', f'{directory}/pool.metadata'
    with open(xml, 'w', encoding='ascii') as file:
        file.write(f'<superblock uuid="" time="3" transaction="4" data_block_size="{POOL_BLOCK // 512}" '
                   f'nr_data_blocks="{blocks}">' + ''.join(rows) + '</superblock>')
    with open(metadata, 'wb') as file:
        file.truncate(4 * EXTENT)
    subprocess.run(['thin_restore', '-i', xml, '-o', metadata], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['thin_check', '-q', metadata], check=True, stdout=subprocess.DEVNULL)
    with open(metadata, 'rb') as file:
        volumes.write('pool_tmeta', 0, file.read())
    os.remove(metadata)


def raid_superblock(leg, events, failed, recovery):
    return struct.pack('<4I4Q4I', 0x64526d44, 0, 2, leg, events, failed, recovery, 2**64 - 1, 1, 0, 0, 0)


def fill(report, directory, images):
    with open(report, encoding='utf-8') as file:
        volumes = Volumes(json.load(file))
    shown = {}
    for name, path in images.items():
        segments = volumes.segments['old' if name == 'old-snap' else name]
        shown[name] = content(path, segments[-1]['start'] + segments[-1]['size'])
        with open(f'{directory}/{name}', 'wb') as file:
            file.write(shown[name])
    for name, data in shown.items():
        if volumes.segments[name][0]['type'] != 'thin' and name != 'old-snap':
            volumes.write(name, 0, data)
    fill_snapshot(volumes, shown['old'], shown['old-snap'])
    fill_pool(volumes, directory, [(1, shown['thin']), (2, shown['thin-snap']), (3, shown['thin-ext'])],
              shown['outer'])
    # A leg that failed long ago, and holds something else since.
    volumes.write('stale_rimage_0', 0, b'\xff' * (8 * EXTENT))
    volumes.write('stale_rmeta_0', 0, raid_superblock(0, 5, 0, 2**64 - 1))
    volumes.write('stale_rmeta_1', 0, raid_superblock(1, 9, 1, 2**64 - 1))
    for leg in (0, 1):
        volumes.write(f'r1_rmeta_{leg}', 0, raid_superblock(leg, 4, 0, 2**64 - 1))


def wraps(device):
    with open(device, 'rb') as file:
        file.seek(4096)
        size, offset, length = struct.unpack_from('<3Q', file.read(512), 32)
    return offset + length > size


def checksum(data):
    return zlib.crc32(data, ~0xf597a6cf & 0xffffffff) ^ 0xffffffff


def rename(path, old, new):
    assert len(old) == len(new)
    with open(path, 'r+b') as file:
        file.seek(4096)
        header = bytearray(file.read(512))
        size, offset, length = struct.unpack_from('<3Q', header, 32)
        file.seek(4096)
        ring = file.read(size)
        text = ring[offset:offset + length]
        text += ring[512:512 + length - len(text)]
        text = text.replace(f'\n{old} {{'.encode(), f'\n{new} {{'.encode())
        number = int(re.search(rb'seqno = (\d+)', text)[1])
        text = text.replace(b'seqno = %d' % number, b'seqno = %d' % (number + 1))
        struct.pack_into('<2QI', header, 40, 512, len(text), checksum(text))
        struct.pack_into('<I', header, 0, checksum(header[4:]))
        file.seek(4096)
        file.write(header + text)


def main():
    if sys.argv[1] == 'rename':
        rename(*sys.argv[2:])
        return
    if sys.argv[1] == 'wraps':
        sys.exit(0 if wraps(sys.argv[2]) else 1)
    if sys.argv[1] == 'edit':
        edit(sys.argv[2], new_volumes())
    else:
        fill(sys.argv[2], sys.argv[3], dict(word.split('=', 1) for word in sys.argv[4:]))


if __name__ == '__main__':
    main()
