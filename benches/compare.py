#!/usr/bin/env python3
"""h2lens beside tshark and tcpdump on the same capture, in one run: medians and their ratios.

Usage: compare.py H2LENS CAPTURE [--port N] [--keylog FILE] [--runs N]     (needs tshark and tcpdump)
"""
import argparse, os, statistics, subprocess, time

def once(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024

def main():
    args = argparse.ArgumentParser(); args.add_argument('exe'); args.add_argument('capture'); args.add_argument('--port', default='8080')
    args.add_argument('--keylog'); args.add_argument('--runs', type=int, default=3); o = args.parse_args()
    keys, tshark_keys = (['--keylog', o.keylog], ['-o', 'tls.keylog_file:' + o.keylog]) if o.keylog else ([], [])
    # Told that the port is HTTP/2's, tshark looks for no TLS.
    decode = [] if o.keylog else ['-d', f'tcp.port=={o.port},http2']
    tshark = ['tshark', '-r', o.capture, *decode, *tshark_keys]
    works = {
        'transactions': (['--show', 'transactions', '--json'], ['-Y', 'http2.headers.method||http2.headers.status', '-T', 'fields', '-e', 'http2.headers.path']),
        'telemetry': (['--show', 'telemetry', '--json'], ['-q', '-z', 'http2,tree']),
    }
    for name, (ours, theirs) in works.items():
        commands = [[o.exe, o.capture, *keys, *ours], tshark + theirs, ['tcpdump', '-r', o.capture, '-w', '/dev/null']]
        runs = [[once(command) for command in commands] for _ in range(o.runs)]
        lens, shark, loop = (statistics.median(run[n][0] for run in runs) for n in range(3))
        memory = [max(run[n][1] for run in runs) for n in range(2)]
        print(f'{name:12} h2lens {lens:.3f} s, {memory[0]:.0f} MB; tshark {shark:.2f} s, {memory[1]:.0f} MB; '
              f'{shark / lens:.1f} times as fast as tshark, {lens / loop:.2f} times the bare read')

if __name__ == '__main__': main()
