#!/usr/bin/env python3
"""What it costs to try the secrets of a key log on TLS 1.3 connections that were joined late.

Usage: late_tls.py H2LENS [--connections N] [--secrets N] [--runs N]     (needs Python's cryptography)

Makes captures of N connections (1,000) that begin within TLS 1.3 and carry HTTP/2, and key logs of N secrets (10,000), of which
  all     the connections' are among them
  none    none fits any connection
  random  none fits, and the records hold random bytes that TLS never made
and prints the processor time and the memory of h2lens beside those without a key log. The captures are the same in every run.
"""
import argparse, os, random, statistics, struct, subprocess, tempfile
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

RECORDS = 12

def expand(secret, label, length):
    """HKDF-Expand-Label (RFC 8446 section 7.1)."""
    label = b'tls13 ' + label
    info = struct.pack('!HB', length, len(label)) + label + b'\0'
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)

def records(secret, contents, first):
    """Application data from a record number on (RFC 8446 section 5.2)."""
    key, iv = AESGCM(expand(secret, b'key', 16)), expand(secret, b'iv', 12)
    for number, content in enumerate(contents, first):
        nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, 'big')))
        head = b'\x17\x03\x03' + struct.pack('!H', len(content) + 17)
        yield head + key.encrypt(nonce, content + b'\x17', head)

def frame(kind, flags, stream, payload):
    return struct.pack('!I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('!I', stream) + payload

def requests(n):
    return frame(1, 5, 2 * n + 1, bytes.fromhex('828684') + b'\x00\x04name' + bytes([6]) + b'%06d' % n)

def answers(n):
    return frame(1, 4, 2 * n + 1, b'\x88') + frame(0, 1, 2 * n + 1, b'x' * 100)

def packet(time, port, side, seq, ack, payload):
    ends = [(bytes([10, 0, 0, 1]), port), (bytes([10, 0, 0, 2]), 443)]
    (source, from_port), (target, to_port) = ends[side], ends[1 - side]
    tcp = struct.pack('!HHIIBBHHH', from_port, to_port, seq, ack, 5 << 4, 0x18, 65535, 0, 0) + payload
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, source, target) + tcp
    data = bytes(12) + b'\x08\x00' + ip
    return struct.pack('<IIII', time // 10**6, time % 10**6, len(data), len(data)) + data

def capture(path, connections, noise, rng):
    """The capture; the secrets of its connections."""
    flows, secrets = [], []
    for number in range(connections):
        pair = rng.randbytes(32), rng.randbytes(32)
        secrets.append(pair)
        first = rng.randrange(1, 5000)
        sides = [list(records(secret, map(make, range(RECORDS)), first)) for secret, make in zip(pair, (requests, answers))]
        if noise:
            sides = [[record[:5] + rng.randbytes(len(record) - 5) for record in side] for side in sides]
        flows.append(sides)
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        time, at = 10**12, [[1000, 1000] for _ in flows]
        for turn in range(RECORDS):
            for number, sides in enumerate(flows):
                for side in (0, 1):
                    seq, ack = at[number][side], at[number][1 - side]
                    file.write(packet(time, 20000 + number, side, seq, ack, sides[side][turn]))
                    at[number][side] += len(sides[side][turn])
                    time += 10
    return secrets

def key_log(path, pairs):
    with open(path, 'w') as file:
        for client, server in pairs:
            name = os.urandom(32).hex()
            file.write(f'CLIENT_TRAFFIC_SECRET_0 {name} {client.hex()}\nSERVER_TRAFFIC_SECRET_0 {name} {server.hex()}\n')

def measure(command, runs):
    seconds, most, out = [], 0, b''
    for _ in range(runs):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        out = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        seconds.append(usage.ru_utime + usage.ru_stime)
        most = max(most, usage.ru_maxrss)
    return statistics.median(seconds), most / 1024, out.count(b'"record":"transaction"')

def main():
    args = argparse.ArgumentParser()
    args.add_argument('h2lens')
    args.add_argument('--connections', type=int, default=1000)
    args.add_argument('--secrets', type=int, default=10000)
    args.add_argument('--runs', type=int, default=3)
    o = args.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as directory:
        name = lambda *parts: os.path.join(directory, *parts)
        own = capture(name('real.pcap'), o.connections, False, rng)
        capture(name('noise.pcap'), o.connections, True, rng)
        # A secret is a line: a connection has two of them.
        others = [(rng.randbytes(32), rng.randbytes(32)) for _ in range(o.secrets // 2)]
        logged = own + others[len(own):]
        rng.shuffle(logged)
        key_log(name('own.keys'), logged)
        key_log(name('others.keys'), others)
        print(f'{o.connections} connections, {o.secrets} secrets, {RECORDS} records a side')
        for what, pcap, keys in [('no key log', 'real', None), ('all', 'real', 'own'), ('none', 'real', 'others'), ('random', 'noise', 'others')]:
            command = [o.h2lens, name(pcap + '.pcap'), '--json', '--threads', '1'] + (['--keylog', name(keys + '.keys')] if keys else [])
            seconds, memory, found = measure(command, o.runs)
            print(f'{what:12} {seconds:7.3f} s {memory:7.1f} MB {found:6} transactions')

if __name__ == '__main__':
    main()
