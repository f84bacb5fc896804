#!/usr/bin/env python3
"""Writes findings.pcap: a client that breaks RFC 9113 in some ways and resets its streams rapidly, and a server.

Usage: findings.py findings.pcap. The packets are made up: no client does all of this.
"""
import struct
import sys

import made_up
from made_up import ACK, ENDS, PREFACE, WHOLE, frame

GET, POST = b"\x82\x86\x84", b"\x83\x86\x84"  # :method, :scheme http, :path /


def line(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


class Capture(made_up.Capture):
    """Over loopback addresses; a side's frames are one packet."""

    def __init__(self, path):
        super().__init__(path, (b"\x7f\0\0\1", b"\x7f\0\0\2"))

    def client(self, *frames):
        self.packet(True, 0x18, b"".join(frames))

    def server(self, *frames):
        self.packet(False, 0x18, b"".join(frames))


def main():
    capture = Capture(sys.argv[1])
    for client, flags in [(True, 0x02), (False, 0x12), (True, 0x10)]:
        capture.packet(client, flags)
    capture.client(PREFACE, frame(4, 0, 0))
    capture.server(frame(4, 0, 0), frame(4, ACK, 0))
    capture.client(frame(4, ACK, 0))
    # A body that is shorter than it says, an upper-case field name, and DATA after the end.
    capture.client(frame(1, WHOLE, 1, POST + line(b"content-length", b"20") + line(b"X-Trace", b"1")))
    capture.client(frame(0, ENDS, 1, b"hello"), frame(0, 0, 1, b"again"))
    capture.server(frame(1, WHOLE | ENDS, 1, b"\x88"))
    for stream in range(3, 3 + 2 * 150, 2):
        capture.client(frame(1, WHOLE | ENDS, stream, GET), frame(3, 0, stream, struct.pack(">I", 8)))
    capture.client(frame(8, 0, 0, struct.pack(">I", 0)))
    for client in (True, False):
        capture.packet(client, 0x11)


main()
