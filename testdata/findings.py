#!/usr/bin/env python3
"""Writes findings.pcap: a client that breaks RFC 9113 in some ways and resets its streams rapidly, and a server.

Usage: findings.py findings.pcap. The packets are made up: no client does all of this.
"""
import struct
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET, POST = b"\x82\x86\x84", b"\x83\x86\x84"  # :method, :scheme http, :path /
ENDS, ACK, WHOLE = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def line(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


class Capture:
    """One TCP connection over loopback addresses, a packet each 100 µs."""

    def __init__(self, path):
        self.out = open(path, "wb")
        self.out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.time, self.ident = 1_700_000_000_000_000, 0
        self.next = {True: 1000, False: 5000}

    def packet(self, client, flags, payload=b""):
        ports = (40000, 8080) if client else (8080, 40000)
        hosts = (b"\x7f\0\0\1", b"\x7f\0\0\2") if client else (b"\x7f\0\0\2", b"\x7f\0\0\1")
        tcp = struct.pack(">HHIIBBHHH", *ports, self.next[client], self.next[not client], 0x50, flags, 65535, 0, 0)
        length, self.ident = 20 + len(tcp) + len(payload), self.ident + 1
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, self.ident, 0x4000, 64, 6, 0) + b"".join(hosts)
        data = ip + tcp + payload
        self.out.write(struct.pack("<IIII", *divmod(self.time, 1_000_000), len(data), len(data)) + data)
        self.next[client] += len(payload) + (flags & 3 != 0)
        self.time += 100

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
