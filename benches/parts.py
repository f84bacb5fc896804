#!/usr/bin/env python3
"""Processor time of N parts of a capture beside that of one process, and of their merge; medians, in one run.

Usage: parts.py H2LENS CAPTURE [--parts N] [--runs N] [-- OPTIONS OF H2LENS]

Exit status 1 if the merge is not what one process writes. As from a disk, where a capture usually comes from, the kernel's cache
takes it in large pieces after `sync; echo 1 > /proc/sys/vm/drop_caches; cat CAPTURE > /dev/null`.
"""
import argparse, filecmp, os, statistics, subprocess, sys, tempfile

def cost(command, out=os.devnull):
    with open(out, 'wb') as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit('failed: ' + ' '.join(command))
    return usage.ru_utime + usage.ru_stime

def main():
    args = argparse.ArgumentParser(); args.add_argument('exe'); args.add_argument('capture'); args.add_argument('--parts', type=int, default=8)
    args.add_argument('--runs', type=int, default=5)
    own = sys.argv.index('--') if '--' in sys.argv else len(sys.argv)
    o = args.parse_args(sys.argv[1:own])
    one = [o.exe, o.capture, '--output', 'ndjson', '--threads', '1', *sys.argv[own + 1:]]
    parts = [one + ['--partition', f'{index}/{o.parts}'] for index in range(o.parts)]
    runs = [(cost(one), sum(map(cost, parts))) for _ in range(o.runs)]
    whole, divided = (statistics.median(run[n] for run in runs) for n in range(2))
    with tempfile.TemporaryDirectory() as dir:
        file = lambda name: os.path.join(dir, str(name))
        cost(one, file('one'))
        for index, part in enumerate(parts):
            cost(part, file(index))
        merge = statistics.median(cost([o.exe, 'merge', *map(file, range(o.parts))], file('merged')) for _ in range(o.runs))
        same = filecmp.cmp(file('one'), file('merged'), shallow=False)
    print(f'one process {whole:.3f} s; {o.parts} parts {divided:.3f} s, {divided / whole:.2f} times; their merge {merge:.3f} s, '
          + ('the same output' if same else 'ANOTHER OUTPUT'))
    return 0 if same else 1

if __name__ == '__main__': sys.exit(main())
