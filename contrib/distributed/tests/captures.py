"""A capture in rotated pieces, made of the repository's test captures."""

from __future__ import annotations

import struct
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
#: pcap of version 2.4, little endian, microseconds, Ethernet.
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
START = 1_700_000_000_000_000

Packet = tuple[int, bytes]


def packets() -> list[Packet]:
    """The packets of all Ethernet captures as if all had begun at one time: microseconds, then head and bytes of each."""
    found: list[Packet] = []
    for file in sorted((REPOSITORY / "testdata").glob("*.pcap")):
        data = file.read_bytes()
        if data[:4] != HEADER[:4] or data[20:24] != HEADER[20:24]:
            continue
        at, first = 24, None
        while at < len(data):
            seconds, micros, length, wire = struct.unpack_from("<IIII", data, at)
            time = seconds * 1_000_000 + micros
            first = time if first is None else first
            time += START - first
            head = struct.pack("<IIII", *divmod(time, 1_000_000), length, wire)
            found.append((time, head + data[at + 16 : at + 16 + length]))
            at += 16 + length
    return sorted(found, key=lambda packet: packet[0])


def damaged() -> list[Packet]:
    """The same without each thirteenth packet."""
    return [packet for number, packet in enumerate(packets()) if number % 13 != 5]


def rotate(captured: list[Packet], directory: Path, pieces: int = 20) -> Path:
    """Writes them as so many files, in order, into a directory that is made for them."""
    directory.mkdir(parents=True)
    size = -(-len(captured) // pieces)
    for number in range(pieces):
        records = [record for _, record in captured[number * size : (number + 1) * size]]
        (directory / f"{number:02}.pcap").write_bytes(HEADER + b"".join(records))
    return directory


def cut(file: Path) -> None:
    """Ends it within its last packet, as a full disk does."""
    file.write_bytes(file.read_bytes()[:-7])
