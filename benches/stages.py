#!/usr/bin/env python3
"""Instructions of each stage, by callgrind, beside the results that are committed in benches/stages.tsv.

Usage: stages.py [--write] [STAGE]...     (needs valgrind; builds the bench `stages` in the profile of a release)
       --write   takes the counts as the new results
"""
import argparse, json, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, 'stages.tsv')

def build():
    command = ['cargo', 'bench', '--quiet', '--bench', 'stages', '--no-run', '--message-format=json']
    messages = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = [json.loads(line) for line in messages.splitlines()]
    return [m['executable'] for m in built if m.get('executable') and m['target']['name'] == 'stages'][-1]

def count(executable, stage):
    """Instructions of the stage, the unit of what it worked on, and how many of that."""
    # The linker resolves string functions at the first call by what the processor can; callgrind counts what ran.
    valgrind = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=*measured_stage*']
    run = subprocess.run(valgrind + [executable, stage], check=True, capture_output=True, text=True)
    unit, units = run.stdout.strip().rsplit(' ', 1)
    return int(re.search(r'Collected : (\d+)', run.stderr).group(1)), unit, int(units)

def main():
    args = argparse.ArgumentParser()
    args.add_argument('--write', action='store_true')
    args.add_argument('stages', nargs='*')
    o = args.parse_args()
    executable = build()
    names = o.stages or subprocess.run([executable], capture_output=True, text=True, check=True).stdout.split()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(names, pool.map(lambda name: count(executable, name), names)))
    before = {}
    if os.path.exists(RESULTS):
        with open(RESULTS) as file:
            before = {line.split('\t')[0]: int(line.split('\t')[1]) for line in file if not line.startswith('#')}
    for name, (instructions, unit, units) in found.items():
        old = before.get(name)
        change = f'{(instructions / old - 1) * 100:+7.2f} %' if old else '     new'
        print(f'{name:20} {instructions:12,} instructions {change}   {instructions / units:10,.1f} a {unit}')
    if o.write:
        lines = ['# stage\tinstructions\tunit\tunits\n']
        lines += [f'{name}\t{i}\t{unit}\t{units}\n' for name, (i, unit, units) in found.items()]
        with open(RESULTS, 'w') as file:
            file.writelines(lines)

if __name__ == '__main__':
    main()
