"""What the captures that are made up have in common: frames, and one TCP connection in a pcap file."""
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ENDS, ACK, WHOLE = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Capture:
    """One TCP connection between two IPv4 addresses, the client's first; a packet each 100 µs."""

    def __init__(self, path, hosts):
        self.out = open(path, "wb")
        self.out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.hosts = hosts
        self.time, self.ident = 1_700_000_000_000_000, 0
        self.next = {True: 1000, False: 5000}

    def packet(self, client, flags, payload=b""):
        ports = (40000, 8080) if client else (8080, 40000)
        hosts = self.hosts if client else self.hosts[::-1]
        tcp = struct.pack(">HHIIBBHHH", *ports, self.next[client], self.next[not client], 0x50, flags, 65535, 0, 0)
        length, self.ident = 20 + len(tcp) + len(payload), self.ident + 1
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, self.ident & 0xFFFF, 0x4000, 64, 6, 0) + b"".join(hosts)
        data = ip + tcp + payload
        self.out.write(struct.pack("<IIII", *divmod(self.time, 1_000_000), len(data), len(data)) + data)
        self.next[client] += len(payload) + (flags & 3 != 0)
        self.time += 100
