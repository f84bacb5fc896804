#!/usr/bin/env python3
"""How time and memory grow with the traffic: the least CPU time of some runs, and instructions where there is `perf`.

Usage: scale.py H2LENS growth CAPTURE [PORT]   1, 2, 4 and 8 copies of the traffic with PORT (8080), times and ports shifted
       scale.py H2LENS connections [N]         N (100,000) connections open at once
       scale.py H2LENS streams [N]             N (200,000) transactions, 10 and 1,000 of a connection at once
       scale.py H2LENS threads CAPTURE         with one thread and with two: the same bytes, and the time
CAPTURE is a classic pcap file of Ethernet, IPv4 and TCP, little-endian. Needs GNU time (Debian: time).
"""
import hashlib, os, re, shutil, struct, subprocess, sys, tempfile, time

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
RUNS = 5

class Run:
    """One run of h2lens, through GNU time: the memory of this process would count for one that it starts itself."""
    def __init__(self, command):
        with tempfile.NamedTemporaryFile('r') as told:
            start = time.perf_counter()
            timed = ['time', '--quiet', '-f', '%U %S %M', '-o', told.name, *command]
            process = subprocess.Popen(timed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            digest, self.lines = hashlib.sha256(), 0
            while chunk := process.stdout.read(1 << 20):
                digest.update(chunk)
                self.lines += chunk.count(b'\n')
            if process.wait():
                sys.exit(f'{command[0]}: exit status {process.returncode}')
            self.elapsed = time.perf_counter() - start
            user, system, kilobytes = told.read().split()
        self.cpu = float(user) + float(system)
        self.memory = int(kilobytes) / 1024
        self.digest = digest.hexdigest()

def least(command):
    """The least CPU time of the runs, the least memory, and the last run."""
    runs = [Run(command) for _ in range(RUNS)]
    return min(run.cpu for run in runs), min(run.memory for run in runs), runs[-1]

def instructions(command):
    if not shutil.which('perf'):
        return float('nan')
    perf = ['perf', 'stat', '-x,', '-e', 'instructions:u', *command]
    told = subprocess.run(perf, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    found = re.search(r'^(\d+),', told, re.M)
    return int(found.group(1)) if found else float('nan')

def show(exe, path, what='transactions'):
    return [exe, path, '--show', what, '--json']

def copy(capture, path, copies, port):
    with open(capture, 'rb') as file:
        data = file.read()
    at, places, times = 24, [], []
    while at + 16 <= len(data):
        seconds, _, length = struct.unpack_from('<III', data, at)
        tcp = at + 16 + 14 + (data[at + 30] & 15) * 4
        # The client's port is the other one.
        places.append((at, tcp if struct.unpack_from('>H', data, tcp)[0] != port else tcp + 2))
        times.append(seconds)
        at += 16 + length
    span = times[-1] - times[0] + 10
    with open(path, 'wb') as file:
        file.write(data[:24])
        for n in range(copies):
            shifted = bytearray(data[24:])
            for (at, place), seconds in zip(places, times):
                struct.pack_into('<I', shifted, at - 24, seconds + n * span)
                old = struct.unpack_from('>H', data, place)[0]
                struct.pack_into('>H', shifted, place - 24, 1024 + (old + n * 997 - 1024) % 64000)
            file.write(shifted)

def growth(exe, work, capture, port='8080'):
    first, path = {}, os.path.join(work, 'growth.pcap')
    for copies in 1, 2, 4, 8:
        copy(capture, path, copies, int(port))
        for what in 'transactions', 'telemetry':
            (cpu, memory, _), count = least(show(exe, path, what)), instructions(show(exe, path, what))
            cpu1, memory1, count1 = first.setdefault(what, (cpu, memory, count))
            print(f'{what:12} x{copies}: {cpu:7.3f} s ({cpu / cpu1 / copies:.3f} of proportional), '
                  f'{count / 1e6:9.0f} M instructions ({count / count1 / copies:.3f}), {memory:6.1f} MB ({memory / memory1:.3f} of x1)')

class Capture:
    """A pcap file in the making."""
    def __init__(self, path):
        self.file, self.clock = open(path, 'wb'), 1_700_000_000_000_000
        self.file.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))

    def packet(self, number, from_client, seq, ack, flags, payload=b''):
        """A segment of connection `number`."""
        self.clock += 7
        client = struct.pack('>I', 0x0a000000 + number // 60000 + 1), 1024 + number % 60000
        server = struct.pack('>I', 0x0a010001), 8080
        (src, sport), (dst, dport) = (client, server) if from_client else (server, client)
        ip = struct.pack('>BBHIBBH', 0x45, 0, 40 + len(payload), 0x4000, 64, 6, 0) + src + dst
        tcp = struct.pack('>HHIIBBHI', sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags, 0xffff, 0)
        frame = bytes(12) + b'\x08\0' + ip + tcp + payload
        self.file.write(struct.pack('<IIII', self.clock // 1000000, self.clock % 1000000, len(frame), len(frame)) + frame)

class Connection:
    """One connection; each side's sequence number follows what it sends."""
    def __init__(self, capture, number):
        self.capture, self.number, self.seq = capture, number, [1000, 5000]
        capture.packet(number, True, 1000, 0, 2)
        capture.packet(number, False, 5000, 1001, 18)
        self.seq = [1001, 5001]
        capture.packet(number, True, 1001, 5001, 16)
        self.send(True, PREFACE + frame(4, 0, 0, b''))
        self.send(False, frame(4, 0, 0, b''))

    def send(self, from_client, payload):
        """Bytes of a side, in segments of 1,448."""
        mine, other = (0, 1) if from_client else (1, 0)
        for start in range(0, len(payload), 1448):
            part = payload[start:start + 1448]
            self.capture.packet(self.number, from_client, self.seq[mine], self.seq[other], 24, part)
            self.seq[mine] += len(part)

def frame(kind, flags, stream, payload):
    return struct.pack('>IBI', len(payload) << 8 | kind, flags, stream) + payload

def request(stream):
    path = b'/api/v1/users/%d' % (stream % 400)
    return frame(1, 5, stream, b'\x82\x86\x04' + bytes([len(path)]) + path + b'\x01\x09a.example')

def response(stream):
    return frame(1, 4, stream, b'\x88') + frame(0, 1, stream, b'x' * 100)

def open_at_once(path, number):
    capture = Capture(path)
    opened = [Connection(capture, n) for n in range(number)]
    for connection in opened:
        connection.send(True, request(1))
    for connection in opened:
        connection.send(False, response(1))
    capture.file.close()

def connections(exe, work, number='100000'):
    path = os.path.join(work, 'connections.pcap')
    open_at_once(path, int(number))
    for what in 'transactions', 'transactions,connections,telemetry':
        cpu, memory, run = least(show(exe, path, what))
        print(f'{number} connections open at once, {what}: {memory:.0f} MB, {cpu:.2f} s, {run.lines} records')

def many_streams(path, number, at_once):
    capture = Capture(path)
    for start in range(0, number, at_once):
        # A new connection after as many streams, whatever are open at once.
        if start % 10000 == 0:
            connection, stream = Connection(capture, start // 10000), 1
        ids = range(stream, stream + 2 * at_once, 2)
        stream += 2 * at_once
        connection.send(True, b''.join(map(request, ids)))
        connection.send(False, b''.join(map(response, ids)))
    capture.file.close()

def streams(exe, work, number='200000'):
    first = None
    for at_once in 10, 1000:
        path = os.path.join(work, f'streams{at_once}.pcap')
        many_streams(path, int(number), at_once)
        (cpu, memory, run), count = least(show(exe, path)), instructions(show(exe, path))
        first = first or (cpu, count)
        print(f'{at_once:5} streams at once: {cpu / run.lines * 1e6:.2f} microseconds and {count / run.lines:,.0f} instructions a transaction '
              f'({cpu / first[0]:.3f} and {count / first[1]:.3f} of 10), {run.lines} transactions, {memory:.0f} MB')

def threads(exe, _, capture):
    for what in 'transactions', 'telemetry':
        # Of both in turns, so that a busy machine is busy for both.
        runs = [[Run(show(exe, capture, what) + ['--threads', n]) for n in '12'] for _ in range(RUNS)]
        one, two = (min(pair[n].elapsed for pair in runs) for n in range(2))
        same = len({run.digest for pair in runs for run in pair}) == 1
        print(f'{what}: one thread {one:.3f} s, two {two:.3f} s, {one / two:.2f} times; the same bytes: {same}')

def main():
    kinds = {f.__name__: f for f in (growth, connections, streams, threads)}
    if len(sys.argv) < 3 or sys.argv[2] not in kinds:
        sys.exit(__doc__.strip())
    with tempfile.TemporaryDirectory() as work:
        kinds[sys.argv[2]](os.path.abspath(sys.argv[1]), work, *sys.argv[3:])

if __name__ == '__main__':
    main()
