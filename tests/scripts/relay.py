"""A relay for TCP connections that keeps what passes, and writes it as a capture: no privileges are needed."""

import socket
import struct
import threading
import time

SYN, FIN, RST, PUSH_ACK, ACK = 2, 1, 4, 24, 16


class Relay:
    """Passes connections on to a port of this host."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            # When, from which side, which bytes; none when the side ends, None when it is reset.
            passed, lock = [], threading.Lock()
            self.connections.append(passed)
            for side, source, target in ((0, client, server), (1, server, client)):
                threading.Thread(target=copy, args=(side, source, target, passed, lock), daemon=True).start()

    def capture(self):
        """What has passed, as IPv4 packets in a classic pcap file."""
        out = bytearray(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 101))
        packets = []
        for number, passed in enumerate(self.connections):
            packets.extend(packets_of(number, list(passed)))
        for at, packet in sorted(packets, key=lambda pair: pair[0]):
            out.extend(struct.pack("<IIII", at // 10**9, at % 10**9, len(packet), len(packet)) + packet)
        return bytes(out)


def copy(side, source, target, passed, lock):
    """Passes on what a side sends, noted before the other side can have it."""
    while True:
        try:
            data = source.recv(1400)
        except OSError:
            data = None
        with lock:
            passed.append((time.time_ns(), side, data))
        try:
            if data:
                target.sendall(data)
            else:
                return target.shutdown(socket.SHUT_WR)
        except OSError:
            return None


def packets_of(number, passed):
    """The packets of a connection, with the handshake before it."""
    numbers = [0, 0]

    def packet(side, flags, data=b""):
        ports = (40_000 + number, 8080) if side == 0 else (8080, 40_000 + number)
        tcp = struct.pack(">HHIIBBHHH", *ports, numbers[side], numbers[1 - side], 5 << 4, flags, 65_535, 0, 0) + data
        ends = (b"\x0a\0\0\1", b"\x0a\0\0\2")
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends[side] + ends[1 - side] + tcp
        numbers[side] += len(data) + (flags & (SYN | FIN) != 0)
        return ip

    start = passed[0][0] if passed else 0
    for before, side, flags in ((30_000, 0, SYN), (20_000, 1, SYN | ACK), (10_000, 0, ACK)):
        yield start - before, packet(side, flags)
    for at, side, data in passed:
        flags = PUSH_ACK if data else RST | ACK if data is None else FIN | ACK
        yield at, packet(side, flags, data or b"")
