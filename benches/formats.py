#!/usr/bin/env python3
"""What each output format costs beside NDJSON, on the same capture in one run: processor time, memory, size.

Usage: formats.py H2LENS CAPTURE [--keylog FILE] [--runs N]     (CAPTURE with many transactions; release build)

The runs of the formats take turns, so that what else the machine does is shared. Exit status 1 where a bound is passed: the
times of NDJSON are those of `--show transactions`, memory is the greatest of all runs.
"""
import argparse, os, statistics, subprocess, sys, tempfile, time

# Times as long as NDJSON's, and MB, at most; None: there is no bound.
BOUNDS = {
    'ndjson': (None, 64), 'csv': (None, 64), 'har': (3, 64), 'otlp': (3, 64), 'trace': (2, 64), 'curl': (None, 64),
    'arrow': (None, 64), 'parquet': (2.5, 96), 'html': (None, 200),
}
# These want one kind of record, the others have what they hold.
CHOSEN = ('ndjson', 'csv', 'arrow', 'parquet')

def once(command):
    """Processor time, time by the clock, MB of memory, MB of output."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - start
        if status:
            sys.exit(f'{" ".join(command)}: exit status {os.waitstatus_to_exitcode(status)}')
        return usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss / 1024, os.fstat(out.fileno()).st_size / 1e6

def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('exe')
    args.add_argument('capture')
    args.add_argument('--keylog')
    args.add_argument('--runs', type=int, default=5)
    o = args.parse_args()
    keys = ['--keylog', o.keylog] if o.keylog else []
    command = lambda format: [o.exe, o.capture, *keys, '-o', format, *(['--show', 'transactions'] if format in CHOSEN else [])]
    built = [format for format in BOUNDS if subprocess.run(
        [o.exe, '/dev/null', '-o', format], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr.find(b'invalid value') < 0]
    runs = {format: [] for format in built}
    for _ in range(o.runs):
        for format in built:
            runs[format].append(once(command(format)))
    median = lambda format, at: statistics.median(run[at] for run in runs[format])
    print(f'{"format":8} {"CPU s":>7} {"of NDJSON":>10} {"clock s":>8} {"MB":>6} {"output MB":>10}')
    passed = False
    for format in built:
        times, memory = median(format, 0) / median('ndjson', 0), max(run[2] for run in runs[format])
        over = [f'more than {bound} {unit}' for value, bound, unit in zip((times, memory), BOUNDS[format], ('times', 'MB')) if bound and value > bound]
        passed |= bool(over)
        print(f'{format:8} {median(format, 0):7.2f} {times:9.2f}x {median(format, 1):8.2f} {memory:6.0f} {median(format, 3):10.1f}'
              + (f'  {", ".join(over)}' if over else ''))
    sys.exit(passed)

if __name__ == '__main__': main()
