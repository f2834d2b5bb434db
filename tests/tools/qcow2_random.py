#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes random qcow2 images with qemu-img and qemu-io: qcow2_random.py SEED COUNT FOLDER

Prints a line for each image or snapshot to compare: IMAGE, a tab, the snapshot's name or nothing. The same seed
gives the same images.
"""
import os
import random
import subprocess
import sys

rng = random.Random(int(sys.argv[1]))
count = int(sys.argv[2])
os.chdir(sys.argv[3])


def run(*arguments):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


def succeeds(*arguments):
    return subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def place(size, unit):
    start = rng.randrange(0, size, unit)
    length = min(rng.choice([1, 2, 3, 8, 40]) * rng.choice([512, unit, 4096, 65536]), size - start)
    return start, max(length // unit, 1) * unit if start + unit <= size else size - start


def operation(size, cluster, compress):
    kind = rng.choice(["write", "write", "write", "zero", "unmap", "discard", "compressed"])
    if kind == "compressed" and compress:
        start = rng.randrange(0, max(size // cluster, 1)) * cluster
        length = min(cluster, size - start)
        if length % 512 == 0:
            return f"write -c -P {rng.randrange(256)} {start} {length}"
    start, length = place(size, rng.choice([512, 512, 4096, cluster]))
    if kind == "zero":
        return f"write -z {start} {length}"
    if kind == "unmap":
        return f"write -z -u {start} {length}"
    if kind == "discard":
        return f"discard {start} {length}"
    return f"write -P {rng.randrange(256)} {start} {length}"


def backing(number):
    if number == 0 or rng.random() < 0.5:
        return []
    if rng.random() < 0.2:
        with open(f"raw{number}", "wb") as raw:
            raw.write(rng.randbytes(rng.randrange(1, 300000)))
        return ["-b", f"raw{number}", "-F", "raw"]
    return ["-b", f"image{rng.randrange(number)}.qcow2", "-F", "qcow2"]


def make(number):
    path = f"image{number}.qcow2"
    cluster = 1 << rng.randrange(9, 22)
    size = rng.randrange(1, 16384) * 512
    options = [f"cluster_size={cluster}"]
    version2 = rng.random() < 0.2
    data_file = not version2 and rng.random() < 0.15
    if version2:
        options.append("compat=0.10")
    else:
        if cluster >= 16384 and rng.random() < 0.5:
            options.append("extended_l2=on")
        if rng.random() < 0.5:
            options.append("compression_type=zstd")
    if data_file:
        options.append(f"data_file=data{number}")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", ",".join(options), *backing(number), path, str(size))
    for phase in range(rng.randrange(1, 4)):
        commands = [["-c", operation(size, cluster, not data_file)] for _ in range(rng.randrange(1, 25))]
        # Discards of parts of a cluster and compressed writes over data fail; QEMU 7.2 even marks a few images
        # corrupt by itself and writes no more to them. What was written until then counts.
        succeeds("qemu-io", "-f", "qcow2", *sum(commands, []), path)
        if data_file or rng.random() > 0.4 or not succeeds("qemu-img", "snapshot", "-c", f"phase{phase}", path):
            continue
        print(f"{path}\tphase{phase}")
        larger = size + rng.randrange(1, 4096) * 512
        if not version2 and rng.random() < 0.5 and succeeds("qemu-img", "resize", "-q", "-f", "qcow2", path, str(larger)):
            size = larger
    print(f"{path}\t")


for index in range(count):
    make(index)
