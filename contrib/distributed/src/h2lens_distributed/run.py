"""The whole run: tasks, what came of them, and what the results add up to."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, Future, as_completed

from . import part
from .points import Point, stamp

Progress = Callable[[int, int], None]

#: In a directory of Parquet parts: what they were made of. Readers of Parquet pass over such names.
STAMP = "_stamp"


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    points: list[Point]
    out: Path
    parts: int
    options: tuple[str, ...] = ()
    h2lens: tuple[str, ...] = ("h2lens",)
    retries: int = 3
    #: Leave the parts as a directory of Parquet files, in place of merging them.
    parquet: bool = False


@dataclass
class Summary:
    """What came of it."""

    results: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Work:
    """The tasks of one point, and where their parts go."""

    point: Point
    stamp: str
    paths: list[Path]
    tasks: list[Future[Any]] = field(default_factory=list)


def run(plan: Plan, client: Client, progress: Progress | None = None) -> Summary:
    """Analyzes all parts of all points, merges each point's, and adds up their coverage.

    Parts that are there already, of the same files and options, are kept, so that a run which was stopped goes on. A task
    whose worker dies is given to another one.
    """
    summary = Summary()
    points: dict[Future[Any], str] = {}
    works = [_work(plan, point) for point in plan.points]
    for work in works:
        work.tasks = [] if plan.parquet and _is_published(plan, work) else _submit(plan, client, work)
        points.update((task, work.point.name) for task in work.tasks)
    for done, task in enumerate(as_completed(list(points)), 1):
        if progress:
            progress(done, len(points))
        error = task.exception()
        if error is not None:
            summary.failed.setdefault(points[task], str(error))
    for work in works:
        name = work.point.name
        if name not in summary.failed:
            result = _publish(plan, work) if plan.parquet else _merged(plan, work)
            summary.results[name] = str(result)
            if not plan.parquet:
                add(summary.coverage, coverage(result))
        _clean(plan, work, older=name not in summary.failed)
    return summary


def _work(plan: Plan, point: Point) -> _Work:
    key = stamp(point.inputs, *plan.options, str(plan.parts))
    names = [f"{index:02}-of-{plan.parts:02}" for index in range(plan.parts)]
    parts = (plan.out / "parts").absolute()
    if plan.parquet:
        return _Work(point, key, [parts / f"{point.name}.{key}" / name for name in names])
    return _Work(point, key, [parts / f"{point.name}.{key}.{name}.ndjson" for name in names])


def _submit(plan: Plan, client: Client, work: _Work) -> list[Future[Any]]:
    def task(function: Callable[..., str], *arguments: Any) -> Future[Any]:
        return client.submit(function, plan.h2lens, *arguments, retries=plan.retries, pure=False)

    tasks = [
        task(part.analyze, work.point, index, plan.parts, plan.options, str(path)) for index, path in enumerate(work.paths)
    ]
    if not plan.parquet:
        tasks.append(task(part.merge, list(tasks), str(_merged(plan, work).absolute())))
    return tasks


def _merged(plan: Plan, work: _Work) -> Path:
    return plan.out / f"{work.point.name}.ndjson"


def _is_published(plan: Plan, work: _Work) -> bool:
    """Whether the directory has all Parquet parts of these files and options."""
    try:
        return (plan.out / work.point.name / STAMP).read_text() == work.stamp
    except OSError:
        return False


def _publish(plan: Plan, work: _Work) -> Path:
    """Gives the directory of all Parquet parts its name, in place of an older one."""
    out = plan.out / work.point.name
    if work.tasks:
        made = work.paths[0].parent
        for left in made.glob(".*.tmp"):
            shutil.rmtree(left, ignore_errors=True)
        (made / STAMP).write_text(work.stamp)
        if out.exists():
            old = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
            os.rename(out, old)
            shutil.rmtree(old, ignore_errors=True)
        os.rename(made, out)
    return out


def _clean(plan: Plan, work: _Work, older: bool) -> None:
    """Removes what killed workers left and, on demand, the parts of other files or options."""
    name = re.escape(work.point.name)
    left = rf"\.{name}\.[0-9a-f]{{12}}\..*\.tmp|\.{name}\.ndjson\..*\.tmp"
    others = rf"{name}\.(?!{work.stamp})[0-9a-f]{{12}}(\.\d\d-of-\d\d(\.ndjson|\.log))?"
    wanted = re.compile(f"{left}|{others}" if older else left)
    for path in (*plan.out.glob("*"), *plan.out.glob("parts/*")):
        if not wanted.fullmatch(path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def coverage(result: Path) -> dict[str, Any]:
    """The coverage of a merged result: its last line, if telemetry was shown."""
    last = b""
    with result.open("rb") as file:
        for line in file:
            last = line
    record = json.loads(last or b"{}")
    found: dict[str, Any] = record.get("coverage", {})
    return found


def add(total: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds numbers; what is true of all must be true of each."""
    for name, value in more.items():
        if isinstance(value, dict):
            add(total.setdefault(name, {}), value)
        elif isinstance(value, bool):
            total[name] = total.get(name, True) and value
        elif isinstance(value, (int, float)):
            total[name] = total.get(name, 0) + value


def bar(done: int, of: int) -> None:
    """A progress bar on standard error."""
    width = 30
    filled = "#" * (width * done // of)
    print(f"\r[{filled:<{width}}] {done}/{of} tasks", end="\n" if done == of else "", file=sys.stderr, flush=True)
