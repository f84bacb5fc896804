#!/usr/bin/env python3
"""Writes slow.pcap: three calls over a path of 40 ms, and a server that drains.

Usage: slow.py slow.pcap. The packets are made up: a report that the server takes a second for, an export that stands still as
its client reads slowly, an upload whose client does, and two requests that cross the GOAWAY.
"""
import struct
import sys

import made_up
from made_up import ACK, ENDS, PREFACE, WHOLE, frame

SEGMENT = 1448
WINDOW = 8192


def request(method, path):
    return bytes([method, 0x86, 0x04, len(path)]) + path + b"\x01\x0cslow.example"


class Capture(made_up.Capture):
    """Captured at the client: what the server sends has been under way for 20 ms."""

    def __init__(self, path):
        super().__init__(path, (b"\x0a\0\0\1", b"\x0a\0\0\2"))

    def wait(self, millis):
        self.time += 1000 * millis

    def send(self, client, *frames):
        octets = b"".join(frames)
        for at in range(0, len(octets), SEGMENT):
            self.packet(client, 0x18, octets[at : at + SEGMENT])
        self.packet(not client, 0x10)

    def client(self, *frames):
        self.send(True, *frames)

    def server(self, *frames):
        self.send(False, *frames)


def main():
    capture = Capture(sys.argv[1])
    capture.packet(True, 0x02)
    capture.wait(40)
    capture.packet(False, 0x12)
    capture.packet(True, 0x10)
    capture.client(PREFACE, frame(4, 0, 0, struct.pack(">HI", 4, WINDOW)))
    capture.wait(40)
    capture.server(frame(4, 0, 0), frame(4, ACK, 0))
    capture.client(frame(4, ACK, 0))
    # A report that takes its time.
    capture.client(frame(1, WHOLE | ENDS, 1, request(0x82, b"/report")))
    capture.wait(1000)
    capture.server(frame(1, WHOLE, 1, b"\x88"), frame(0, ENDS, 1, b"r" * 900))
    # An export: the client takes half a second for each window.
    capture.client(frame(1, WHOLE | ENDS, 3, request(0x82, b"/export")))
    capture.wait(45)
    capture.server(frame(1, WHOLE, 3, b"\x88"))
    for last in (False, False, True):
        capture.server(frame(0, ENDS if last else 0, 3, b"e" * WINDOW))
        if not last:
            capture.wait(500)
            credit = struct.pack(">I", WINDOW)
            capture.client(frame(8, 0, 3, credit), frame(8, 0, 0, credit))
            capture.wait(40)
    # An upload whose application stops.
    capture.client(frame(1, WHOLE, 5, request(0x83, b"/upload")), frame(0, 0, 5, b"u" * 2000))
    capture.wait(300)
    capture.client(frame(0, ENDS, 5, b"u" * 2000))
    capture.wait(45)
    capture.server(frame(1, WHOLE | ENDS, 5, b"\x88"))
    # The server drains; two requests are under way to it.
    capture.client(frame(1, WHOLE | ENDS, 7, request(0x83, b"/orders")))
    capture.client(frame(1, WHOLE | ENDS, 9, request(0x82, b"/orders/17")))
    capture.wait(5)
    capture.server(frame(7, 0, 0, struct.pack(">II", 5, 0)))
    capture.wait(60)
    for client in (False, True):
        capture.packet(client, 0x11)


main()
