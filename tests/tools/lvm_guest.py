#!/usr/bin/env python3
"""Makes a thin pool of plain volumes of a guest's group, and fills the group; see tests/fixtures/guest_lvm.sh.

lvm_guest.py edit TEXT                        rewrites a text of vgcfgbackup, to be read by vgcfgrestore
lvm_guest.py fill REPORT DIRECTORY NAME=FILE...  writes images of volumes to the devices
lvm_guest.py offset REPORT NAME               where on its device a volume of one piece begins, in bytes
"""
import json
import sys

from lvm_fixture import EXTENT, POOL_BLOCK, Volumes, content, edit, fill_pool, volume

# Thin volumes by device number; the last is a snapshot of the one before it.
THIN = {'home': (1, 320), 'srv': (2, 32), 'srv-before': (3, 32)}


def new_volumes():
    pool = volume('pool', 96, 'thin-pool', {'metadata': 'pool_tmeta', 'pool': 'pool_tdata', 'transaction_id': 3,
                                            'chunk_size': POOL_BLOCK // 512, 'discards': 'passdown',
                                            'zero_new_blocks': 1})
    thin = [volume(name, extents, 'thin', {'thin_pool': 'pool', 'transaction_id': number - 1, 'device_id': number}
                   | ({'origin': 'srv'} if name == 'srv-before' else {}))
            for name, (number, extents) in THIN.items()]
    return [pool, *thin]


def load(report):
    with open(report, encoding='utf-8') as file:
        return Volumes(json.load(file))


def fill(report, directory, images):
    volumes = load(report)
    for name, path in images.items():
        if name not in THIN:
            last = volumes.segments[name][-1]
            volumes.write(name, 0, content(path, last['start'] + last['size']))
    fill_pool(volumes, directory, [(number, content(images[name], extents * EXTENT))
                                   for name, (number, extents) in THIN.items()])


def offset(report, name):
    volumes = load(report)
    [segment] = volumes.segments[name]
    [(device, extent)] = segment['legs']
    return volumes.starts[device] + extent * EXTENT


if sys.argv[1] == 'edit':
    edit(sys.argv[2], new_volumes())
elif sys.argv[1] == 'fill':
    fill(sys.argv[2], sys.argv[3], dict(word.split('=', 1) for word in sys.argv[4:]))
else:
    print(offset(*sys.argv[2:]))
