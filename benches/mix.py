#!/usr/bin/env python3
"""One capture of several: their packets in turn, each in proportion to its length, so that all end together. Times never go back.

Usage: mix.py OUT CAPTURE…     (classic pcap, all in one byte order)
"""
import heapq, os, struct, sys

HEADER, RECORD = 24, 16


def byte_order(header):
    """That of a capture with this header, as struct names it."""
    return "<" if header[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"


def places(number, path):
    """(share of the file before the packet, number of the file, place in it, length) of each packet of a capture."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        order = byte_order(file.read(HEADER))
        at = HEADER
        while record := file.read(RECORD):
            length = RECORD + struct.unpack(order + "4I", record)[2]
            yield at / size, number, at, length
            at += length
            file.seek(at)


def main():
    out, *captures = sys.argv[1:]
    files = [open(path, "rb") for path in captures]
    with open(out, "wb") as mixed:
        header = files[0].read(HEADER)
        time, latest = struct.Struct(byte_order(header) + "2I"), (0, 0)
        mixed.write(header)
        for _, number, at, length in heapq.merge(*(places(number, path) for number, path in enumerate(captures))):
            files[number].seek(at)
            record = files[number].read(length)
            latest = max(latest, time.unpack_from(record))
            mixed.write(time.pack(*latest) + record[time.size :])


if __name__ == "__main__":
    main()
