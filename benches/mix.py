#!/usr/bin/env python3
"""One capture of several: their packets in turn, each in proportion to how many it has, so that all end together.

Usage: mix.py OUT CAPTURE…     (classic pcap, all in one byte order)
"""
import heapq, os, struct, sys

HEADER, RECORD = 24, 16


def places(path):
    """(share of the file before the packet, place in the file, length) of each packet of a capture."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        order = "<" if file.read(HEADER)[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        at = HEADER
        while record := file.read(RECORD):
            length = RECORD + struct.unpack(order + "4I", record)[2]
            yield at / size, at, length
            at += length
            file.seek(at)


def main():
    out, *captures = sys.argv[1:]
    files = [open(path, "rb") for path in captures]
    runs = [((share, number, at, length) for share, at, length in places(path)) for number, path in enumerate(captures)]
    with open(out, "wb") as mixed:
        mixed.write(files[0].read(HEADER))
        for _, number, at, length in heapq.merge(*runs):
            files[number].seek(at)
            mixed.write(files[number].read(length))


if __name__ == "__main__":
    main()
