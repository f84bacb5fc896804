"""The whole run: tasks, what came of them, and what the results add up to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, as_completed

from . import part
from .points import Point

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    points: list[Point]
    out: Path
    parts: int
    options: tuple[str, ...] = ()
    h2lens: tuple[str, ...] = ("h2lens",)
    retries: int = 3


@dataclass
class Summary:
    """What came of it."""

    results: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, Any] = field(default_factory=dict)


def run(plan: Plan, client: Client, progress: Progress | None = None) -> Summary:
    """Analyzes all parts of all points, merges each point's, and adds up their coverage.

    Parts that are there already are kept, so that a run which was stopped goes on. A task whose worker dies is given to
    another one.
    """
    parts, merges = {}, {}
    for point in plan.points:
        own = []
        for index in range(plan.parts):
            out = plan.out / "parts" / f"{point.name}.{index:02}-of-{plan.parts:02}.ndjson"
            future = client.submit(
                part.analyze,
                plan.h2lens,
                point,
                index,
                plan.parts,
                plan.options,
                str(out.absolute()),
                retries=plan.retries,
                pure=False,
            )
            own.append(future)
            parts[future] = point.name
        out = plan.out / f"{point.name}.ndjson"
        future = client.submit(part.merge, plan.h2lens, own, str(out.absolute()), retries=plan.retries, pure=False)
        merges[future] = point.name
    summary = Summary()
    everything = list(parts) + list(merges)
    for done, future in enumerate(as_completed(everything), 1):
        if progress:
            progress(done, len(everything))
        error = future.exception()
        name = parts.get(future) or merges[future]
        if error is not None:
            summary.failed.setdefault(name, str(error))
        elif future in merges:
            summary.results[name] = future.result()
    for result in summary.results.values():
        add(summary.coverage, coverage(Path(result)))
    return summary


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
