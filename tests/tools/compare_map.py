#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what imgdump --map says (a file of JSON lines) with `qemu-img map --output=json` of the same image.

compare_map.py OURS THEIRS DATA_FILE_SIZE

Ours must be zero exactly where theirs is, encoded where theirs is data without an offset, and data at their
offset. Two differences are legitimate: holes of the host file, which QEMU shows as zeros with an offset and we as
data; and clusters behind the end of the host file, which are zeros to us and data to QEMU.
"""
import json
import sys


def agree(ours, theirs, skip_ours, skip_theirs, file_size):
    offset = theirs["offset"] + skip_theirs if "offset" in theirs else None
    if ours["kind"] == "zero":
        return theirs["zero"] or (offset is not None and offset >= file_size)
    if ours["kind"] == "encoded":
        return theirs["data"] and offset is None
    return offset is not None and offset == ours["offset"] + skip_ours


def main():
    with open(sys.argv[1], encoding="ascii") as lines:
        ours = [json.loads(line) for line in lines]
    with open(sys.argv[2], encoding="ascii") as text:
        theirs = [row for row in json.load(text) if row["length"] > 0]
    file_size = int(sys.argv[3])
    i = j = position = 0
    while i < len(ours) and j < len(theirs):
        a, b = ours[i], theirs[j]
        if not agree(a, b, position - a["start"], position - b["start"], file_size):
            sys.exit(f"at {position}: ours {a}, qemu-img's {b}")
        position = min(a["start"] + a["length"], b["start"] + b["length"])
        i += position == a["start"] + a["length"]
        j += position == b["start"] + b["length"]
    if i != len(ours) or j != len(theirs):
        sys.exit(f"the maps end differently: {i} of {len(ours)}, {j} of {len(theirs)}")


main()
