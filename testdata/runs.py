#!/usr/bin/env python3
"""Writes before.pcap and after.pcap: two runs of one service, and a release between them.

Usage: runs.py DIR. The packets are made up. In the later run users take half as long again, every third order fails, prices
come with x-cache, /health is gone and /ready is new; reports are slower, too, but there are too few of them to say so.
"""
import os
import random
import struct
import sys

import made_up
from made_up import ACK, ENDS, PREFACE, WHOLE, frame

STATUS = {200: b"\x88", 503: b"\x08\x03503"}


def text(octets):
    return bytes([len(octets)]) + octets


def request(method, path):
    return bytes([{"GET": 0x82, "POST": 0x83}[method]]) + b"\x86\x04" + text(path.encode()) + b"\x01" + text(b"shop.example")


class Run(made_up.Capture):
    def __init__(self, path):
        super().__init__(path, (b"\x0a\0\0\1", b"\x0a\0\0\2"))
        self.packet(True, 0x02)
        self.packet(False, 0x12)
        self.packet(True, 0x18, PREFACE + frame(4, 0, 0))
        self.packet(False, 0x18, frame(4, 0, 0) + frame(4, ACK, 0))
        self.packet(True, 0x18, frame(4, ACK, 0))
        self.stream = 1

    def call(self, method, path, millis, status=200, size=40, fields=b""):
        self.packet(True, 0x18, frame(1, WHOLE | ENDS, self.stream, request(method, path)))
        self.time += int(1000 * millis)
        head = STATUS[status] + b"\x0f\x27" + text(b"shop/2") + fields  # server: shop/2
        self.packet(False, 0x18, frame(1, WHOLE, self.stream, head) + frame(0, ENDS, self.stream, b"x" * size))
        self.stream += 2


def run(path, seed, later):
    capture, rng = Run(path), random.Random(seed)
    calls = ["user"] * 45 + ["price"] * 40 + ["order"] * 30 + ["report"] * 5 + ["probe"] * 4
    rng.shuffle(calls)
    for number, what in enumerate(calls):
        millis = rng.lognormvariate(3, 0.4)
        if what == "user":
            capture.call("GET", f"/users/{rng.randrange(10_000)}", millis * (1.5 if later else 1), size=60)
        elif what == "price":
            cache = b"\x00" + text(b"x-cache") + text(b"HIT") if later else b""
            capture.call("GET", "/prices", millis / 4, size=80, fields=cache)
        elif what == "order":
            fails = later and number % 3 == 0
            capture.call("POST", "/orders", millis * 2, 503 if fails else 200, size=20)
        elif what == "report":
            capture.call("GET", "/report", millis * (20 if later else 10), size=100)
        else:
            capture.call("GET", "/ready" if later else "/health", 0.3, size=2)


for name, seed in (("before", 1), ("after", 2)):
    run(os.path.join(sys.argv[1], name + ".pcap"), seed, name == "after")
