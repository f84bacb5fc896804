#!/usr/bin/env python3
"""Instructions of each stage, counted by callgrind, beside the results that are committed in results.tsv.

Usage: compare.py [--install] [--write]     (needs valgrind, and gungraun-runner of the version in Cargo.toml)
       --install   builds the runner into target/ if it is not there
       --write     takes the counts as the new results
"""
import argparse, json, os, re, shutil, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, 'results.tsv')

def runner(install):
    with open(os.path.join(HERE, 'Cargo.toml')) as file:
        version = re.search(r'gungraun = "=([^"]+)"', file.read()).group(1)
    root = os.path.join(HERE, 'target', 'gungraun-runner-' + version)
    built = os.path.join(root, 'bin', 'gungraun-runner')
    found = os.environ.get('GUNGRAUN_RUNNER') or (built if os.path.exists(built) else shutil.which('gungraun-runner'))
    if found or not install:
        return found or 'gungraun-runner'
    # It only starts valgrind and reads what that says: without optimization it is built in half the time.
    subprocess.run(['cargo', 'install', '--quiet', '--debug', '--version', version, '--root', root, 'gungraun-runner'], check=True)
    return built

def count(runner):
    """The instructions of each stage, by its name."""
    command = ['cargo', 'bench', '--quiet', '--', '--output-format=json']
    run = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {'GUNGRAUN_RUNNER': runner})
    found = {}
    for stage in map(json.loads, run.stdout.splitlines()):
        total = stage['profiles'][0]['summaries']['total']['summary']['Callgrind']['Ir']['metrics']
        # The new value, where gungraun has an earlier one to compare with.
        new = total['Left'] if 'Left' in total else total['Both'][0]
        found[f'{stage["function_name"]}.{stage["id"]}'] = new['Int']
    return found

def main():
    args = argparse.ArgumentParser()
    args.add_argument('--install', action='store_true')
    args.add_argument('--write', action='store_true')
    o = args.parse_args()
    found = count(runner(o.install))
    with open(RESULTS) as file:
        before = dict(line.split('\t')[:2] for line in file if not line.startswith('#'))
    for name, instructions in found.items():
        old = before.get(name)
        change = f'{(instructions / int(old) - 1) * 100:+7.2f} %' if old else '     new'
        print(f'{name:32} {instructions:12,} instructions {change}')
    if o.write:
        with open(RESULTS, 'w') as file:
            file.write('# stage\tinstructions\n')
            file.writelines(f'{name}\t{instructions}\n' for name, instructions in found.items())

if __name__ == '__main__':
    main()
