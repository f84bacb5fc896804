"""`h2lens-distributed run --out DIR CAPTUREPOINT… [-- OPTIONS OF H2LENS]`"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from pathlib import Path

from distributed import Client, LocalCluster

from .points import expand
from .run import Plan, bar, run

DESCRIPTION = """Analyzes capture points with h2lens on the workers of a Dask cluster, or on this machine's processors.
A capture point is a directory, a glob or an fsspec URL of one host's rotated captures. Each gets a file of records in DIR,
byte for byte what one h2lens process would have written. Options behind -- are h2lens's own, as -S or --keylog."""


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says; 0, or 1 where some capture point has no result, or 2 for wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    own, options = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(prog="h2lens-distributed", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="analyze, merge, and sum up", description=DESCRIPTION)
    command.add_argument("points", nargs="+", metavar="CAPTUREPOINT")
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="where results go: all workers must see it")
    command.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786; without it a local cluster")
    command.add_argument("--workers", type=int, metavar="N", help="processes of a local cluster; default: the processors")
    command.add_argument("--parts", type=int, default=8, metavar="N", help="parts of a capture point, at most 64; default 8")
    command.add_argument("--retries", type=int, default=3, metavar="N", help="how often a failed task is tried again; default 3")
    command.add_argument("--h2lens", default="h2lens", metavar="COMMAND", help="the program on the workers; default h2lens")
    command.add_argument("--parquet", action="store_true", help="leave each point's parts as a directory of Parquet files")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(own)
    if not 1 <= given.parts <= 64:
        parser.error("--parts: from 1 to 64")
    try:
        points = expand(given.points)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    plan = Plan(points, given.out, given.parts, tuple(options), tuple(shlex.split(given.h2lens)), given.retries, given.parquet)
    # A worker that dies is told of by what comes of its tasks.
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if given.scheduler:
        with Client(given.scheduler) as client:
            return report(plan, client, given.quiet)
    workers = given.workers or os.cpu_count() or 1
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        return report(plan, client, given.quiet)


def report(plan: Plan, client: Client, quiet: bool) -> int:
    """Runs the plan; the summary goes to standard output and into DIR."""
    progress = bar if sys.stderr.isatty() and not quiet else None
    summary = run(plan, client, progress)
    text = json.dumps({"results": summary.results, "failed": summary.failed, "coverage": summary.coverage}, indent=2)
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "summary.json").write_text(text + "\n")
    print(text)
    for name, error in summary.failed.items():
        print(f"h2lens-distributed: {name}: {error}", file=sys.stderr)
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
