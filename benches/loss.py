#!/usr/bin/env python3
"""What h2lens and tshark find in a damaged capture, of what is in it.

Usage: loss.py H2LENS CLEAN.pcap [--tshark] [--port N]
CLEAN: a classic pcap, Ethernet, IPv4, cleartext HTTP/2, nothing lost. Packets are dropped (loss), exchanged with the next of
their direction (swap), come so many packets later in one direction (apart), or are missing up to the middle (late). A status
counts when the undamaged run shows the same one for that connection and stream; one that it does not show is wrong. h2lens
answers once a stream, tshark by its fields.
"""
import argparse, collections, json, random, struct, subprocess, tempfile

def packets(path):
    data = open(path, 'rb').read(); out, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack('<I', data[at + 8:at + 12])[0]; out.append(data[at:at + 16 + length]); at += 16 + length
    return data[:24], out

def direction(packet):
    """The endpoints of a TCP segment with payload, or None."""
    ip = packet[30:]
    if packet[28:30] != b'\x08\0' or ip[9] != 6: return None
    head = (ip[0] & 15) * 4; tcp = ip[head:struct.unpack('!H', ip[2:4])[0]]
    return (ip[12:20], tcp[:4]) if len(tcp) > (tcp[12] >> 4) * 4 else None

def damage(clean, kind, rate):
    chance = random.Random(f'{kind}{rate}'); out = list(clean)
    if kind == 'loss': return [p for p in out if direction(p) is None or chance.random() >= rate]
    if kind == 'late': return out[int(len(out) * rate):]
    if kind == 'apart':
        first = next(direction(p) for p in out if direction(p))[1][:2]
        delay = lambda p: rate if p[30 + (p[30] & 15) * 4:][:2] == first else 0
        return [p for _, p in sorted(enumerate(out), key=lambda item: item[0] + delay(item[1]))]
    for at, packet in enumerate(out):
        if direction(packet) and chance.random() < rate:
            other = next((j for j in range(at + 1, min(at + 40, len(out))) if direction(out[j]) == direction(packet)), None)
            if other: out[at], out[other] = out[other], out[at]
    return out

def save(head, packets, path):
    with open(path, 'wb') as file:
        file.write(head)
        for n, p in enumerate(packets): file.write(struct.pack('<II', n * 7 // 1000000, n * 7 % 1000000) + p[8:])

def h2lens(exe, path):
    found = collections.Counter()
    run = subprocess.run([exe, path, '--show', 'transactions', '--json', '-q'], capture_output=True, check=True)
    for record in map(json.loads, run.stdout.splitlines()):
        status = record.get('http', {}).get('response', {}).get('status_code')
        if status: found[record['client']['port'], record['h2']['stream']['id'], status] += 1
    return found

def tshark(path, port):
    found = collections.Counter()
    run = subprocess.run(['tshark', '-r', path, '-d', f'tcp.port=={port},http2', '-Y', 'http2.headers.status', '-T', 'fields', '-e',
                          'tcp.dstport', '-e', 'http2.streamid', '-e', 'http2.headers.status'], capture_output=True, text=True)
    for line in run.stdout.splitlines():
        client, streams, statuses = line.split('\t')
        # Frames that share a packet become lists that cannot be paired for certain: the benefit of the doubt.
        streams = [s for n, s in enumerate(streams.split(',')) if s != '0' and s not in streams.split(',')[:n]]
        for stream, status in zip(streams, statuses.split(',')): found[int(client), int(stream), int(status)] += 1
    return found

def main():
    args = argparse.ArgumentParser(); args.add_argument('exe'); args.add_argument('clean')
    args.add_argument('--tshark', action='store_true'); args.add_argument('--port', type=int, default=8080); o = args.parse_args()
    head, clean = packets(o.clean)
    with tempfile.NamedTemporaryFile(suffix='.pcap') as file:
        save(head, clean, file.name); truth = h2lens(o.exe, file.name)
        print(f'{len(clean)} packets, {len(truth)} responses')
        for kind, rate in (('loss', .001), ('loss', .01), ('loss', .05), ('swap', .01), ('swap', .05), ('apart', 50), ('late', .5)):
            damaged = damage(clean, kind, rate); save(head, damaged, file.name)
            for name, found in [('h2lens', h2lens(o.exe, file.name))] + ([('tshark', tshark(file.name, o.port))] if o.tshark else []):
                print(f'{kind} {rate:<6} {len(clean) - len(damaged):6} packets fewer  {name}: {len(found & truth):6} responses of {len(truth)}, '
                      f'{len(found - truth)} that the undamaged capture does not have')

if __name__ == '__main__': main()
