#!/usr/bin/env python3
"""The figures of docs/limits.md: what attacks cost beside ordinary calls of as many bytes.

Usage: attacks.py H2LENS [--size N] [WORD …]     (builds the tests; needs no more than they do)

Runs the tests of tests/attacks on this binary, which must be named h2lens, each attack N (20) times as large as the tests make it, where
its size is not what makes it one, and prints of each the larger of its two sizes. WORD: attacks alone that have it in their names.
"""
import argparse, os, pathlib, subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('h2lens'); parser.add_argument('words', nargs='*'); parser.add_argument('--size', type=int, default=20)
args = parser.parse_args()

binary = pathlib.Path(args.h2lens).resolve()
if binary.name != 'h2lens':
    parser.error(f'{binary} is not named h2lens')
environment = dict(os.environ, H2LENS=str(binary), H2LENS_ATTACK_SIZE=str(args.size))
command = ['cargo', 'test', '--quiet', '--test', 'tests', '--', 'attacks::', '--nocapture', '--test-threads', '1']
tests = subprocess.run(command, env=environment, cwd=pathlib.Path(__file__).parent, stdout=subprocess.PIPE, text=True)

rows = {}
for line in tests.stdout.splitlines():
    # In front of it may stand what the tests' runner prints.
    _, found, figures = line.partition('figures\t')
    if not found:
        continue
    name, size, time, clean, mib, output, limits = figures.split('\t')
    size, time, clean, output = int(size), float(time), float(clean), int(output)
    row = (size, time / clean, time, int(mib), output / size, limits)
    if any(word in name for word in args.words) or not args.words:
        rows[name] = max(rows.get(name, row), row)

print('| attack | input | time | × ordinary calls | memory | output × input | caps that struck |')
print('|---|---|---|---|---|---|---|')
for name, (size, ratio, time, mib, output, limits) in rows.items():
    input = f'{size / 2**20:.1f} MiB' if size < 10 << 20 else f'{size >> 20} MiB'
    duration = f'{time:.0f} ms' if time < 1000 else f'{time / 1000:.1f} s'
    caps = ', '.join(f'`{limit}`' for limit in limits.split())
    print(f'| {name} | {input} | {duration} | {ratio:.1f} | {mib} MiB | {output:.1f} | {caps} |')
raise SystemExit(tests.returncode)
